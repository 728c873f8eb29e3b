#include "thread.h"

#define WIN32_LEAN_AND_MEAN
#include <windows.h>

#include <process.h>
#include <stdlib.h>

bool ops_several_processors(void) {
    DWORD_PTR process, system;
    // The mask is 0 for a process that runs in several groups of 64 processors.
    return !GetProcessAffinityMask(GetCurrentProcess(), &process, &system) || process == 0 || (process & (process - 1)) != 0;
}

void ops_thread_hold_signals(void) {} // There are none.

struct ops_thread {
    HANDLE handle;
    void (*run)(void *);
    void *argument;
};

static unsigned __stdcall run(void *argument) {
    struct ops_thread *thread = argument;
    thread->run(thread->argument);
    return 0;
}

struct ops_thread *ops_thread_start(void (*to_run)(void *), void *argument) {
    struct ops_thread *thread = malloc(sizeof *thread);
    if (!thread) return NULL;
    thread->run = to_run;
    thread->argument = argument;
    thread->handle = (HANDLE)_beginthreadex(NULL, 256 << 10, run, thread, STACK_SIZE_PARAM_IS_A_RESERVATION, NULL);
    if (thread->handle) return thread;
    free(thread);
    return NULL;
}

void ops_thread_join(struct ops_thread *thread) {
    WaitForSingleObject(thread->handle, INFINITE);
    CloseHandle(thread->handle);
    free(thread);
}

struct ops_monitor {
    SRWLOCK lock;
    CONDITION_VARIABLE changed;
};

struct ops_monitor *ops_monitor_new(void) {
    struct ops_monitor *monitor = malloc(sizeof *monitor);
    if (!monitor) return NULL;
    InitializeSRWLock(&monitor->lock);
    InitializeConditionVariable(&monitor->changed);
    return monitor;
}

void ops_monitor_free(struct ops_monitor *monitor) { free(monitor); }

void ops_monitor_lock(struct ops_monitor *monitor) { AcquireSRWLockExclusive(&monitor->lock); }
void ops_monitor_unlock(struct ops_monitor *monitor) { ReleaseSRWLockExclusive(&monitor->lock); }
void ops_monitor_wait(struct ops_monitor *monitor) { SleepConditionVariableSRW(&monitor->changed, &monitor->lock, INFINITE, 0); }
void ops_monitor_wake(struct ops_monitor *monitor) { WakeConditionVariable(&monitor->changed); }
