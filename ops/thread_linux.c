#define _GNU_SOURCE
#include "thread.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>

bool ops_several_processors(void) {
    cpu_set_t set;
    // The call fails on a machine with more than 1024 processors.
    return sched_getaffinity(0, sizeof set, &set) != 0 || CPU_COUNT(&set) > 1;
}

// export/host_linux.c has the like for threads that are in Go, with SIGURG, which only Go's threads need. Blocked, a
// signal of these would end the process at the instruction that raises it, and the host's handler would not run.
static const int of_the_thread_itself[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS};

static void hold_signals(sigset_t *before) {
    sigset_t held;
    sigfillset(&held);
    for (size_t i = 0; i < sizeof of_the_thread_itself / sizeof *of_the_thread_itself; i++)
        sigdelset(&held, of_the_thread_itself[i]);
    pthread_sigmask(SIG_BLOCK, &held, before);
}

void ops_thread_hold_signals(void) { hold_signals(NULL); }

struct ops_thread {
    pthread_t id;
    void (*run)(void *);
    void *argument;
};

static void *run(void *argument) {
    struct ops_thread *thread = argument;
    thread->run(thread->argument);
    return NULL;
}

struct ops_thread *ops_thread_start(void (*to_run)(void *), void *argument) {
    struct ops_thread *thread = malloc(sizeof *thread);
    pthread_attr_t small;
    if (!thread || pthread_attr_init(&small) != 0) {
        free(thread);
        return NULL;
    }
    thread->run = to_run;
    thread->argument = argument;
    pthread_attr_setstacksize(&small, 256 << 10);
    // A thread begins with the signals of the one that starts it.
    sigset_t before;
    hold_signals(&before);
    const bool started = pthread_create(&thread->id, &small, run, thread) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&small);
    if (!started) {
        free(thread);
        return NULL;
    }
    return thread;
}

void ops_thread_join(struct ops_thread *thread) {
    pthread_join(thread->id, NULL);
    free(thread);
}

struct ops_monitor {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
};

struct ops_monitor *ops_monitor_new(void) {
    struct ops_monitor *monitor = malloc(sizeof *monitor);
    if (!monitor) return NULL;
    pthread_mutex_init(&monitor->mutex, NULL);
    pthread_cond_init(&monitor->changed, NULL);
    return monitor;
}

void ops_monitor_free(struct ops_monitor *monitor) {
    if (!monitor) return;
    pthread_cond_destroy(&monitor->changed);
    pthread_mutex_destroy(&monitor->mutex);
    free(monitor);
}

void ops_monitor_lock(struct ops_monitor *monitor) { pthread_mutex_lock(&monitor->mutex); }
void ops_monitor_unlock(struct ops_monitor *monitor) { pthread_mutex_unlock(&monitor->mutex); }
void ops_monitor_wait(struct ops_monitor *monitor) { pthread_cond_wait(&monitor->changed, &monitor->mutex); }
void ops_monitor_wake(struct ops_monitor *monitor) { pthread_cond_signal(&monitor->changed); }
