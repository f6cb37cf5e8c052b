#include "tools/run/program_path.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tools/wording/escape.h"

namespace mallocspy {
namespace {

constexpr char kDefaultSearchPath[] = "/bin:/usr/bin";  // execvp's

// Why the file cannot be executed, as errno has it; 0 if it can.
int ExecutionProblem(const std::string& path) {
  struct stat file;
  if (stat(path.c_str(), &file) != 0) return errno;
  if (S_ISDIR(file.st_mode)) return EISDIR;
  if (!S_ISREG(file.st_mode)) return EACCES;
  return faccessat(AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) == 0 ? 0 : errno;
}

bool Missing(int problem) { return problem == ENOENT || problem == ENOTDIR; }

ProgramPath NotRunnable(const std::string& name, int problem) {
  ProgramPath result;
  result.exit_status = Missing(problem) ? kExitNotFound : kExitNotExecutable;
  result.problem = absl::StrCat("cannot run '", Escaped(name), "': ");
  if (problem == EISDIR) {
    absl::StrAppend(&result.problem, "it is a directory");
  } else if (problem == EACCES) {
    absl::StrAppend(&result.problem, "it is not an executable file, or it may not be reached (chmod +x?)");
  } else {
    absl::StrAppend(&result.problem, std::strerror(problem));
  }
  return result;
}

}  // namespace

ProgramPath FindProgram(const std::string& name, const char* search_path) {
  if (name.find('/') != std::string::npos) {
    const int problem = ExecutionProblem(name);
    return problem == 0 ? ProgramPath{name, 0, ""} : NotRunnable(name, problem);
  }
  int problem = ENOENT;
  const char* const directories = search_path != nullptr ? search_path : kDefaultSearchPath;
  for (const absl::string_view directory : absl::StrSplit(directories, ':')) {
    if (name.empty()) break;
    const std::string path = directory.empty() ? absl::StrCat("./", name) : absl::StrCat(directory, "/", name);
    const int here = ExecutionProblem(path);
    if (here == 0) return {path, 0, ""};
    if (!Missing(here)) problem = here;
  }
  if (!Missing(problem)) return NotRunnable(name, problem);
  return {"", kExitNotFound,
          absl::StrCat("cannot run '", Escaped(name), "': no such program in PATH (a program of this directory is ./",
                       Escaped(name), ")")};
}

}  // namespace mallocspy
