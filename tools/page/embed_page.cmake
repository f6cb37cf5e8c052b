# Puts the page's sources together, as a C++ file (page_parts.h):
#
#     cmake -DFOLDER=... -DSCRIPTS=a.js,b.js -DOUTPUT=parts.cc -P embed_page.cmake
#
# page.html says with @...@ where style, script, their hashes, what it may connect to, and its data go.

# The SHA-256 of `text` as a Content-Security-Policy has it: base64, three hexadecimal digits are two of its characters.
function(policy_hash text result)
  string(SHA256 digits "${text}")
  set(alphabet ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/)
  set(digits "${digits}00")
  set(encoded "")
  foreach(i RANGE 0 63 3)
    string(SUBSTRING ${digits} ${i} 3 three)
    math(EXPR high "0x${three} >> 6")
    math(EXPR low "0x${three} & 63")
    string(SUBSTRING ${alphabet} ${high} 1 first)
    string(SUBSTRING ${alphabet} ${low} 1 second)
    string(APPEND encoded ${first}${second})
  endforeach()
  string(SUBSTRING ${encoded} 0 43 encoded)  # of 256 bits; the rest is padding
  set(${result} "sha256-${encoded}=" PARENT_SCOPE)
endfunction()

# Sources are ASCII and must not end the raw string or, the script and the style, their element.
function(check_source name text)
  foreach(forbidden ")page\"" "</script" "</style" "<!--")
    string(FIND "${text}" "${forbidden}" place)
    if(NOT place EQUAL -1 AND NOT name STREQUAL page.html)
      message(FATAL_ERROR "${name}: '${forbidden}' must not be in it")
    endif()
  endforeach()
endfunction()

set(script "\n\"use strict\";\n")
string(REPLACE "," ";" names "${SCRIPTS}")
foreach(name IN LISTS names)
  file(READ "${FOLDER}/${name}" source)
  check_source(${name} "${source}")
  string(APPEND script "${source}")
endforeach()
file(READ "${FOLDER}/page.css" style)
check_source(page.css "${style}")
file(READ "${FOLDER}/page.html" page)

policy_hash("${style}" style_hash)
policy_hash("${script}" script_hash)
string(REPLACE "@STYLE_HASH@" "${style_hash}" page "${page}")
string(REPLACE "@SCRIPT_HASH@" "${script_hash}" page "${page}")
string(REPLACE "@STYLE@" "${style}" page "${page}")
string(REPLACE "@SCRIPT@" "${script}" page "${page}")

string(FIND "${page}" "@CONNECT@" connect)
string(FIND "${page}" "@DATA@" data)
if(connect EQUAL -1 OR data LESS connect)
  message(FATAL_ERROR "page.html must have @CONNECT@ and, behind it, @DATA@")
endif()
string(SUBSTRING "${page}" 0 ${connect} before_connect)
math(EXPR begin "${connect} + 9")
math(EXPR length "${data} - ${begin}")
string(SUBSTRING "${page}" ${begin} ${length} before_data)
math(EXPR begin "${data} + 6")
string(SUBSTRING "${page}" ${begin} -1 behind_data)

file(WRITE "${OUTPUT}" "// Made from tools/page by embed_page.cmake.
#include \"tools/page/page_parts.h\"

namespace mallocspy {

const char kPageBeforeConnect[] = R\"page(${before_connect})page\";
const char kPageBeforeData[] = R\"page(${before_data})page\";
const char kPageBehindData[] = R\"page(${behind_data})page\";

}  // namespace mallocspy
")
