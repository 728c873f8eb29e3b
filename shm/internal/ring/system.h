/* What the ring needs of the system: sleepers to wake, and the time. */
#ifndef SHMCV_RING_SYSTEM_H
#define SHMCV_RING_SYSTEM_H

#ifdef _WIN32
#include "system_windows.h"
#else
#include "system_linux.h"
#endif

#endif
