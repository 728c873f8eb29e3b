#define _GNU_SOURCE
#include "ahead.h"

#include <sched.h>
#include <signal.h>

static _Thread_local struct ahead_file file;

struct ahead_file *ops_ahead_file(void) { return &file; }

static bool several_processors(void) {
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) != 0 || CPU_COUNT(&set) > 1; // it fails where there are more than 1024
}

bool ops_ahead_start(struct ahead *a, size_t capacity, void *(*run)(void *), void *argument) {
    pthread_attr_t small;
    sigset_t all, before;
    if (!several_processors() || pthread_attr_init(&small) != 0) return false;
    a->capacity = capacity;
    a->made = a->released = 0;
    a->ended = a->unwanted = false;
    pthread_mutex_init(&a->mutex, NULL);
    pthread_cond_init(&a->changed, NULL);
    pthread_attr_setstacksize(&small, 256 << 10);
    // Signals are the host's: its handlers want to run on its threads.
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const bool started = pthread_create(&a->thread, &small, run, argument) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&small);
    if (started) file.threads = 2;
    return started;
}

// A side that has to wait is woken when there is half a ring to do, so that they do not wake each other at every step.

bool ops_ahead_room(struct ahead *a, size_t made, size_t more) {
    pthread_mutex_lock(&a->mutex);
    if (made + more - a->released > a->capacity)
        while (!a->unwanted && made - a->released > a->capacity / 2) pthread_cond_wait(&a->changed, &a->mutex);
    const bool wanted = !a->unwanted;
    pthread_mutex_unlock(&a->mutex);
    return wanted;
}

void ops_ahead_publish(struct ahead *a, size_t made, bool ended) {
    pthread_mutex_lock(&a->mutex);
    a->made = made;
    a->ended = ended;
    if (ended || made - a->released >= a->capacity / 2) pthread_cond_signal(&a->changed);
    pthread_mutex_unlock(&a->mutex);
}

size_t ops_ahead_more(struct ahead *a, size_t taken) {
    pthread_mutex_lock(&a->mutex);
    a->released = taken;
    if (a->made - taken <= a->capacity / 2) pthread_cond_signal(&a->changed);
    if (a->made == taken)
        while (!a->ended && a->made - taken < a->capacity / 2) pthread_cond_wait(&a->changed, &a->mutex);
    const size_t made = a->made;
    pthread_mutex_unlock(&a->mutex);
    return made;
}

void ops_ahead_join(struct ahead *a) {
    pthread_mutex_lock(&a->mutex);
    a->unwanted = true;
    pthread_cond_signal(&a->changed);
    pthread_mutex_unlock(&a->mutex);
    pthread_join(a->thread, NULL);
    pthread_cond_destroy(&a->changed);
    pthread_mutex_destroy(&a->mutex);
}
