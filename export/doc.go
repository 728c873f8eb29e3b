// shmcv: images in named shared memory, for C, C++, C# and Python.
//
// A segment is a piece of shared memory with a name. It holds pixels from its first byte on, and one description of
// them (shmcv_image_info) that the library keeps behind the pixels. Every process of the same user that opens the name
// works on the same memory. Nothing is copied and nothing is sent. A photograph, flipped and saved:
//
//	#include <shmcv.h>
//	#include <stdio.h>
//
//	int main(void) {
//	    shmcv_segment photo, mirrored;
//	    char why[SHMCV_MESSAGE_SIZE];
//	    if (shmcv_create("photo", 3840 * 2160 * 3, &photo) == SHMCV_OK &&
//	        shmcv_create("mirrored", 3840 * 2160 * 3, &mirrored) == SHMCV_OK &&
//	        shmcv_load(photo, "photograph.jpg", SHMCV_LOAD_COLOR, NULL) == SHMCV_OK &&
//	        shmcv_flip(photo, mirrored, SHMCV_FLIP_HORIZONTAL) == SHMCV_OK &&
//	        shmcv_save(mirrored, "mirrored.png", SHMCV_QUALITY_DEFAULT) == SHMCV_OK)
//	        return shmcv_clear_all();
//	    shmcv_last_error(why, sizeof why);
//	    fprintf(stderr, "%s\n", why);
//	    shmcv_clear_all();
//	    return 1;
//	}
//
// These rules hold for every function:
//
// Names. A function on a stream, a frame, an image's description or an error code begins with that noun:
// shmcv_stream_wait, shmcv_frame_publish, shmcv_image_size, shmcv_error_name. A function on a segment, a file, a window or
// the library as a whole has no noun in front: shmcv_load, shmcv_data, shmcv_delay. (shmcv_segment_clear has one, because
// shmcv_clear takes a name.) A structure whose name ends in _info tells about something. The structures shmcv_segment,
// shmcv_stream and shmcv_frame are handles. A view (shmcv_view) is a shmcv_segment too.
//
// Errors. A function that can fail returns an int32_t: SHMCV_OK (0) or a negative SHMCV_E_ code. After a failure,
// shmcv_last_error gives this thread's message, which says what was asked, what was found and what to do. The text of a
// function names its errors. Any function on a segment, a frame or a stream can also return SHMCV_E_CLOSED,
// SHMCV_E_TRUNCATED, SHMCV_E_CORRUPT, SHMCV_E_BUSY (another process has kept it from its turn) or SHMCV_E_INTERNAL. Any
// function can return SHMCV_E_NO_SPACE where the system gives the process no more memory, and SHMCV_E_IO where it gives no
// more file descriptors. Any function on a frame to read, of a stream that was opened read-only, can return
// SHMCV_E_OVERTAKEN: the writer has begun to write over the frame. What the function has made of the pixels is then no image:
// shmcv_flip and the like leave dst without one, or as it was, a view always as it was, and shmcv_save writes no file. Results go through
// pointers, which are written only on success, except where a function's text says so.
//
// Arguments. Strings are UTF-8 and NUL-terminated. The library borrows what an argument points to for the call only. A
// pointer to a buffer is followed by the buffer's size. NULL is SHMCV_E_INVALID where the function's text does not
// allow it. Sizes are in bytes.
//
// Handles. A handle is passed by value. The compiler refuses a stream or a frame where a segment is wanted, and so does
// the library. {0} is a handle of nothing. A handle that was closed, or never given out, is SHMCV_E_CLOSED, never a
// crash.
//
// Threads. Every thread may call every function at any time. The functions that store an image in a segment take turns
// across all processes, and shmcv_read copies one whole image. A program that reads the memory itself, saves from it or
// flips out of it while another program stores an image can see parts of both images. Streams have no such moment,
// because a frame does not change, or its reader is told (SHMCV_E_OVERTAKEN).
//
// The host. The library does not print or exit. It keeps handlers for SIGSEGV and SIGBUS, which pass a fault of the
// host's, or of the library's C++ code, on to the host's handler or to the default action. The library stays loaded:
// dlclose() does nothing.
//
// Fork. A child of fork() can call every function, and opens what it needs by its name. A handle that an ancestor got
// before the fork is that ancestor's: every function returns SHMCV_E_FORKED for it in the child, and does nothing. The
// memory behind it stays mapped in the child. The child keeps nothing locked for its parent, so that a parent that dies is
// dead for everybody at once. The first call of a child opens a copy of the library from the library's file, which takes
// some ten milliseconds and 3 MiB. If it cannot, because the file was replaced, each call that can fail is
// SHMCV_E_FORKED, and the message says why. exec() makes the library usable in any case.
package main
