/* process.h - what the process is before it does anything: not dumpable, with a short environment.
 */
#pragma once

/* The first call of main(): core files off, umask 0077, environment cut to what the daemon and its
 * libraries need. If glibc was not told to wipe freed memory, executes `argv` once more with that
 * set. (The tunables are read before main().) */
void process_harden(char **argv);
