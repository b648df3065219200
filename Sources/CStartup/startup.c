// Set-up that must precede everything else: libraries of hundreds of megabytes take a tenth of a second to start, and
// signals or closed streams may occur before that.

#include "startup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
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
    // No exit handlers: they would destroy data that other threads still use.
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

// A process started from a thread that blocks signals, as in thread pools, inherits the signal mask.
static void unblock(void) {
    sigset_t handled;
    sigemptyset(&handled);
    sigaddset(&handled, SIGINT);
    sigaddset(&handled, SIGTERM);
    sigaddset(&handled, SIGHUP);
    sigaddset(&handled, SIGUSR1);
    sigprocmask(SIG_UNBLOCK, &handled, NULL);
}

static int is_ignored(int number) {
    struct sigaction action;
    return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

enum {
    missing_input = 66,      // exit codes: EX_NOINPUT and EX_OSERR of sysexits.h
    too_few_resources = 71,
    fewest_files = 16,
    usual_files = 64,
    least_stack_kibibytes = 256,
    working_mebibytes = 256,  // stacks of threads, arenas of the allocator, and the smallest model
};

static void refuse(const char *format, unsigned long long given, unsigned long long needed) {
    char line[256];
    int length = snprintf(line, sizeof line, format, given, needed);
    if (length > 0) {
        ssize_t ignored = write(STDERR_FILENO, line, (size_t)length < sizeof line ? (size_t)length : sizeof line - 1);
        (void)ignored;
    }
    _exit(too_few_resources);
}

// MKL ends the process, with a message about another file, if it cannot ask where it is.
static void check_folder(void) {
    char path[PATH_MAX];
    if (getcwd(path, sizeof path) != NULL || errno != ENOENT) return;
    static const char line[] = "sedd: the working directory no longer exists; change to one that does\n";
    ssize_t ignored = write(STDERR_FILENO, line, sizeof line - 1);
    (void)ignored;
    _exit(missing_input);
}

// Libraries that cannot open a file or start a thread terminate the process with obscure messages, or with none.
static void check_files(void) {
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
    if (files.rlim_cur < usual_files && files.rlim_cur < files.rlim_max) {
        files.rlim_cur = files.rlim_max < usual_files ? files.rlim_max : usual_files;
        if (setrlimit(RLIMIT_NOFILE, &files) != 0) getrlimit(RLIMIT_NOFILE, &files);
    }
    if (files.rlim_cur < fewest_files) {
        refuse("sedd: this process may open %llu files; it needs %llu: raise the limit (ulimit -n)\n", files.rlim_cur, fewest_files);
    }
}

// It is also the size of other threads' stacks, whose overflow is not reported as an error.
static void check_stack(void) {
    struct rlimit stack;
    if (getrlimit(RLIMIT_STACK, &stack) != 0 || stack.rlim_cur == RLIM_INFINITY) return;
    if (stack.rlim_cur >> 10 < least_stack_kibibytes) {
        refuse("sedd: this process may use %llu KiB of stack; it needs %llu: raise the limit (ulimit -s)\n", stack.rlim_cur >> 10,
               least_stack_kibibytes);
    }
}

#if defined(__linux__)
static void check_address_space(void) {
    struct rlimit space;
    if (getrlimit(RLIMIT_AS, &space) != 0 || space.rlim_cur == RLIM_INFINITY) return;
    char text[64];
    int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (file < 0) return;
    ssize_t length = read(file, text, sizeof text - 1);
    close(file);
    unsigned long long pages = 0;
    if (length <= 0) return;
    text[length] = 0;
    if (sscanf(text, "%llu", &pages) != 1) return;
    unsigned long long mapped = pages * (unsigned long long)sysconf(_SC_PAGESIZE) >> 20, given = space.rlim_cur >> 20;
    if (given < mapped + working_mebibytes) {
        refuse("sedd: this process may use %llu MiB of address space; it needs %llu or more: raise the limit (ulimit -v)\n", given,
               mapped + working_mebibytes);
    }
}
#else
static void check_address_space(void) {}
#endif

static void begin(void) {
    handle(SIGINT);
    handle(SIGTERM);
    // Remains ignored under nohup.
    if (!is_ignored(SIGHUP)) handle(SIGHUP);
    // Sent by cluster schedulers some time before they end a job.
    handle(SIGUSR1);
    unblock();
    // A closed pipe or a file size limit causes a write error, which is reported with its location.
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    // The descriptor of a closed standard stream would be reused by the next opened file. It is replaced by one on
    // which reading or writing fails; output to a closed stderr is discarded.
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
    check_folder();
    check_files();
    check_stack();
    check_address_space();
}

#if defined(__ELF__)
// Runs before the constructors of all libraries.
__attribute__((section(".preinit_array"), used)) static void (*const before_all)(void) = begin;
#else
__attribute__((constructor)) static void before_main(void) { begin(); }
#endif

void startup_set_interruption(StartupInterruption chosen) { mode = chosen; }

int startup_was_interrupted(void) { return asked; }

// `make build` writes commit.h, which defines SEDD_COMMIT; a plain `swift build` works without it.
#if __has_include("commit.h")
#include "commit.h"
#else
#define SEDD_COMMIT ""
#endif

const char *startup_commit(void) { return SEDD_COMMIT; }
