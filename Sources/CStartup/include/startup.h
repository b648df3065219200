#ifndef STARTUP_H
#define STARTUP_H

/// The effect of INT, TERM, HUP and USR1 on the process.
typedef enum {
    /// Each terminates the process with exit code 130 and a line on stderr: for work without state to save.
    STARTUP_LEAVE = 0,
    /// The first is recorded, for work that polls `startup_was_interrupted`; the second terminates the process.
    STARTUP_NOTE = 1,
} StartupInterruption;

/// Sets the effect of the signals.
void startup_set_interruption(StartupInterruption mode);

/// Whether one of the signals has been received since they are recorded.
int startup_was_interrupted(void);

/// The commit from which the program was built; empty if unknown.
const char *startup_commit(void);

#endif
