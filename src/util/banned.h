/* SPDX-License-Identifier: Apache-2.0 */
/* Functions that have no safe use here do not compile (the idea is git's banned.h). System headers come first. */
#ifndef CHSM_UTIL_BANNED_H
#define CHSM_UTIL_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#undef sprintf      /* clang has them as macros where it fortifies */
#undef vsprintf

#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf strtok atoi atol atoll system popen gmtime localtime ctime asctime tmpnam mktemp

#endif
