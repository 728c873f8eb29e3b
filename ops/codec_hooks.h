// Calls out of OpenCV's codecs into ops. The patches in scripts/opencv-patches put these calls into the bundled OpenCV,
// and compile this header there, so that both sides agree. A pointer that is NULL is not called: OpenCV works, and
// links, without ops.
#ifndef SHMCV_CODEC_HOOKS_H
#define SHMCV_CODEC_HOOKS_H

#ifdef __cplusplus
extern "C" {
#endif

struct jpeg_error_mgr;
struct jpeg_decompress_struct;
struct jpeg_compress_struct;

struct shmcv_codec_hooks {
    // The end of libjpeg's jpeg_std_error, which every user of libjpeg calls: OpenCV and libtiff.
    void (*jpeg_errors_set)(struct jpeg_error_mgr *err);

    // OpenCV's JPEG decoder: decompression has started, and not one row has been read; the decompressor is about to be
    // destroyed, at the end and after errors.
    void (*jpeg_decompress_started)(struct jpeg_decompress_struct *cinfo);
    void (*jpeg_decompress_ending)(struct jpeg_decompress_struct *cinfo);

    // OpenCV's JPEG encoder: compression has started, and not one row has been written; the compressor is about to be
    // destroyed, at the end and after errors of libjpeg's. A C++ exception out of the destination passes the latter by.
    void (*jpeg_compress_started)(struct jpeg_compress_struct *cinfo);
    void (*jpeg_compress_ending)(struct jpeg_compress_struct *cinfo);

    // OpenCV's TIFF decoder: the directory has been read, and not one pixel.
    void (*tiff_pixels_started)(void);
};

// libjpeg's archive has the object. ops fills it in before the first image, and never changes it afterwards.
extern struct shmcv_codec_hooks shmcv_codec_hooks;

#ifdef __cplusplus
}
#endif
#endif
