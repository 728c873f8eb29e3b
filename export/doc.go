// shmcv: images in named shared memory, for C, C++, C# and Python.
//
// A segment is a piece of shared memory with a name. It holds pixels from its first byte on, and one description of
// them (shmcv_image_info) that the library keeps behind the pixels. Every process of the same user that opens the name
// works on the same memory; nothing is copied and nothing is sent. A photograph, flipped and saved:
//
//	#include <shmcv.h>
//	#include <stdio.h>
//
//	int main(void) {
//	    shmcv_segment photo, mirrored;
//	    char why[1024];
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
// The rules, which hold for every function:
//
// Errors. A function that can fail returns an int32_t: SHMCV_OK (0) or a negative SHMCV_E_ code, after which
// shmcv_last_error gives this thread's message: what was asked, what was found, what to do. Results go through
// pointers, the last arguments, and are written only on success.
//
// Arguments. Strings are UTF-8 and NUL-terminated. The library borrows them, and everything else it is given a pointer
// to, for the call only. A NULL where the text does not allow one is SHMCV_E_INVALID. Sizes are in bytes.
//
// Threads. Every function may be called from every thread at any time. Functions that store an image in a segment take
// turns, in all processes, and shmcv_read_pixels copies one whole image; who looks at the memory itself, or saves or
// flips out of it, while somebody stores may see some of both. Streams have no such moment: a frame does not change.
//
// The host. The library does not print, exit, or handle signals. After fork() the child must exec() before it can use
// the library: until then each call is SHMCV_E_FORKED. Loaded once, it stays loaded: dlclose() does nothing.
package main
