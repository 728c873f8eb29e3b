// What ops adds to libjpeg-turbo in the bundled OpenCV, by way of codec_hooks.h: the warnings that OpenCV does not ask
// for, and a second thread for a large image. Without the bundled OpenCV these functions do nothing.
#ifndef SHMCV_OPS_JPEG_H
#define SHMCV_OPS_JPEG_H
#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

// Lets libjpeg call the functions below. Call before the first image.
void ops_jpeg_set_hooks(void);

// Forgets the damage that libjpeg has warned of on this thread.
void ops_jpeg_forget_damage(void);

// Returns the first damage that libjpeg has warned of on this thread, as a sentence without its full stop; NULL if there
// was none.
const char *ops_jpeg_damage(void);

// Keeps a damage as this thread's, unless it has one.
void ops_jpeg_add_damage(const char *found);

// The file that this thread decodes or encodes, if a second thread may help with it.
struct ops_jpeg_file {
    const unsigned char *content, *end; // that is decoded, or NULL
    bool encoded;                       // an image is encoded
    bool end_added;                     // the file had no end marker, and has been given one
    int threads;                        // that worked on the file
};

// Returns this thread's. ops_decode and ops_encode set it; all of it is zero between their calls.
struct ops_jpeg_file *ops_jpeg_file(void);

// For codec_hooks.h.
struct jpeg_error_mgr;
struct jpeg_decompress_struct;
struct jpeg_compress_struct;
void ops_jpeg_errors_set(struct jpeg_error_mgr *err);
void ops_jpeg_decompress_started(struct jpeg_decompress_struct *cinfo);
void ops_jpeg_decompress_ending(struct jpeg_decompress_struct *cinfo);
void ops_jpeg_compress_started(struct jpeg_compress_struct *cinfo);
void ops_jpeg_compress_ending(struct jpeg_compress_struct *cinfo);

#ifdef __cplusplus
}
#endif
#endif
