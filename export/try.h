/* Functions of the C ABI that try to do their work without Go. Each gives its result, or SHMCV_ENTER_GO, and then has done
 * nothing: the shim calls the Go function of that name, which does all that is rare, and tells what is wrong. A Go function
 * that is tried so has the line //shmcv:try. */
#ifndef SHMCV_TRY_H
#define SHMCV_TRY_H

#include "host.h"

enum { SHMCV_ENTER_GO = 1 };

int32_t shmcv_try_data(shmcv_segment seg, void **ptr, uint64_t *size);
int32_t shmcv_try_image_get(shmcv_segment seg, shmcv_image_info *out);
int32_t shmcv_try_image_set(shmcv_segment seg, const shmcv_image_info *image);
int32_t shmcv_try_stream_begin(shmcv_stream stream, int32_t timeout_ms, shmcv_frame *frame, shmcv_nap *nap);
int32_t shmcv_try_stream_wait(shmcv_stream stream, uint64_t newer_than, int32_t timeout_ms, shmcv_frame *frame,
                              shmcv_frame_info *info, shmcv_nap *nap);
int32_t shmcv_try_frame_publish(shmcv_frame frame, uint64_t *sequence);
int32_t shmcv_try_frame_check(shmcv_frame frame);
int32_t shmcv_try_frame_close(shmcv_frame frame);

#endif
