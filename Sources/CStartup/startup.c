// What must hold before anything else runs: libraries of hundreds of megabytes take a tenth of a second to start, and a signal or a
// closed stream may be there before they do.

#include "startup.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t mode = STARTUP_LEAVE;
static volatile sig_atomic_t asked = 0;

enum { interrupted = 130 };  // the exit code

static void on_signal(int number) {
    (void)number;
    if (mode == STARTUP_NOTE && !asked) {
        asked = 1;
        return;
    }
    static const char line[] = "sedd: interrupted\n";
    ssize_t ignored = write(STDERR_FILENO, line, sizeof line - 1);
    (void)ignored;
    // No exit handlers: other threads compute on, and would do so on what the handlers have taken away.
    _exit(interrupted);
}

static void handle(int number) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

// Whoever starts processes from threads that block signals, as thread pools do, hands that on to them.
static void unblock(void) {
    sigset_t handled;
    sigemptyset(&handled);
    sigaddset(&handled, SIGINT);
    sigaddset(&handled, SIGTERM);
    sigaddset(&handled, SIGHUP);
    sigprocmask(SIG_UNBLOCK, &handled, NULL);
}

static int is_ignored(int number) {
    struct sigaction action;
    return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

static void begin(void) {
    handle(SIGINT);
    handle(SIGTERM);
    // nohup has it ignored, and is meant so.
    if (!is_ignored(SIGHUP)) handle(SIGHUP);
    unblock();
    // A reader that has gone and a file that may not grow are errors of the write, which says where.
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    // A standard stream that is closed would be the number of the next file to be opened. In its place stands one on which reading
    // or writing fails, except that what is told on a closed stderr goes nowhere.
    static const int flags[] = {O_WRONLY, O_RDONLY, O_WRONLY};
    for (int stream = 0; stream < 3; stream++) {
        if (fcntl(stream, F_GETFD) < 0 && errno == EBADF) {
            int opened = open("/dev/null", flags[stream]);
            if (opened >= 0 && opened != stream) {
                dup2(opened, stream);
                close(opened);
            }
        }
    }
}

#if defined(__ELF__)
// Before the constructors of all libraries.
__attribute__((section(".preinit_array"), used)) static void (*const before_all)(void) = begin;
#else
__attribute__((constructor)) static void before_main(void) { begin(); }
#endif

void startup_set_interruption(StartupInterruption chosen) { mode = chosen; }

int startup_was_interrupted(void) { return asked; }
