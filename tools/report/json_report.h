// The report for programs: schema "mallocspy-report/1".
//
// Every object has all its keys. What is not known is null for single values, [] for stacks and {} for `exit` of a
// process of which it is not known how, or whether, it ended; {"exec": path} is an image that another program replaced.
// Beyond the schema, errors carry `used_door`, `value`, `detail`, `count`, `tid`, and `leaks_omitted` stands beside
// `leaks` when only the largest were asked for. `ownership` has, if that was recorded, what each module freed of what each made: `made_in`,
// `made_by` (a door), `freed_in`, `freed_by`, `blocks`, `bytes`, `mismatched`.
//
// A leak with `suppressed_by`, or of which `baseline` has the state "known", is accepted: no reason for the verdict or
// the exit status.
//
// The top level alone has `suppressions`, what became of each, `baseline`, numbers of leaks by id, and `summary`, of all processes that
// are judged (`verdict.judged`, see verdict/judged_programs.h):
//
//     processes judged status  how many there were, and the worst verdict of the judged: errors, leaks, incomplete, clean
//     leaks[]   id class processes blocks bytes door programs[] frames[]      those of one id and class in one object
//     errors[]  kind processes count programs[] where[] allocated[] freed[]   likewise
#pragma once

#include <string>
#include <vector>

#include "tools/verdict/findings.h"

namespace mallocspy {

std::string JsonReport(const Findings& findings);

// Several reports as one: the later ones and their children are children of the first. `reports` is not empty.
std::string JsonReport(const std::vector<Findings>& reports);

}  // namespace mallocspy
