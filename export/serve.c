#include "serve.h"

#include "../ops/thread.h"
#include "native.h"
#include "_cgo_export.h"

static struct ops_thread *server;

static bool serve_once(shmcv_nap *nap) {
    shmcv_entry entry;
    shmcv_enter(&entry);
    const bool on = goServeDescriptors(nap) != 0;
    shmcv_leave(&entry);
    return on;
}

/* The thread sleeps here and not in Go, as every thread that waits does; see shm.Nap. */
static void serve(void *nothing) {
    (void)nothing;
    shmcv_nap nap;
    shmcv_nap_begin(&nap);
    while (serve_once(&nap))
        if (!shmcv_sleep(&nap)) shmcv_nap_begin(&nap);
}

bool shmcv_start_serving(void) {
    if (server != NULL) ops_thread_join(server);
    server = ops_thread_start(serve, NULL);
    return server != NULL;
}
