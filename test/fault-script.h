/* SPDX-License-Identifier: MIT */
/*
 * Every function of the public interface, called while fault-shim.c makes some of
 * what it needs fail.
 */
#ifndef TEST_FAULT_SCRIPT_H
#define TEST_FAULT_SCRIPT_H

/*
 * Run it: the process fails unless each function did what its description says.  A
 * function that @map, the list of what the library exports, has and the script does not
 * call is a failure.  A script that hangs is killed.
 */
void fault_script(const char *map);

#endif /* TEST_FAULT_SCRIPT_H */
