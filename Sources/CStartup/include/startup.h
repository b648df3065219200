#ifndef STARTUP_H
#define STARTUP_H

/// What INT, TERM, HUP and USR1 do to the process.
typedef enum {
    /// Each ends the process with exit code 130 and a line on stderr: for work that has nothing to save.
    STARTUP_LEAVE = 0,
    /// The first is noted, for work that asks `startup_was_interrupted` at good moments; the second ends the process.
    STARTUP_NOTE = 1,
} StartupInterruption;

/// Chooses what the signals do from now on.
void startup_set_interruption(StartupInterruption mode);

/// Whether one of the signals has come since they are noted.
int startup_was_interrupted(void);

/// The commit that the program was built from; empty where the build did not say.
const char *startup_commit(void);

#endif
