// The report as JUnit XML, which CI systems show as test results. It keeps to the rules of both schemas in use,
// Jenkins' and the stricter one of Ant's reports.
#pragma once

#include <string>
#include <vector>

#include "tools/verdict/findings.h"

namespace mallocspy {

// When and where the report was written; Ant's schema asks for both.
struct JunitStamp {
  std::string time;  // "2026-11-23T02:53:51", UTC
  std::string host;

  static JunitStamp Now();
};

// A test suite for each program that is judged, with all its processes. Its test cases are: a failure for each heap
// error and each leak but those that are still reachable or accepted, which pass, an error if the check was incomplete,
// and one that passed if there is nothing else. Names of suites and cases hold neither pid nor numbers, so that a CI
// system knows a leak again.
std::string JunitReport(const std::vector<Findings>& reports, const JunitStamp& stamp);

}  // namespace mallocspy
