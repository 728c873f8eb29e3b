// What we use of libjpeg-turbo's structures; OpenCV does not install the headers of the one that it brings. This is
// their layout for JPEG_LIB_VERSION 70 on 64 bits. Who uses them makes sure that it is the library's too.
#ifndef SHMCV_OPS_JPEG_H
#define SHMCV_OPS_JPEG_H
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// The beginning, which is the same in all versions.
struct jpeg_error_mgr {
    void (*error_exit)(void *object);
    void (*emit_message)(void *object, int level);
    void (*output_message)(void *object);
    void (*format_message)(void *object, char *buffer);
    void (*reset_error_mgr)(void *object);
    int msg_code;
    union {
        int i[8];
        char s[80];
    } msg_parm;
    int trace_level;
    long num_warnings;
    const char *const *jpeg_message_table;
    int last_jpeg_message;
};

struct jpeg_source_mgr {
    const unsigned char *next_input_byte;
    size_t bytes_in_buffer;
    // and functions
};

typedef int16_t jpeg_block[64];
struct jpeg_decompress;

struct jpeg_entropy_decoder {
    void (*start_pass)(struct jpeg_decompress *);
    int (*decode_mcu)(struct jpeg_decompress *, jpeg_block *mcu[]);
    void *decode_mcus, *process_restart; // of lossless JPEG
    int insufficient_data;
    // and each decoder's own
};

struct jpeg_decompress {
    struct jpeg_error_mgr *err; // every libjpeg object begins with a pointer to its error manager
    void *mem, *progress, *client_data;
    int is_decompressor, global_state;
    struct jpeg_source_mgr *src;
    unsigned image_width, image_height;
    int num_components, jpeg_color_space, out_color_space;
    unsigned scale_num, scale_denom;
    double output_gamma;
    int buffered_image, raw_data_out, dct_method, do_fancy_upsampling, do_block_smoothing;
    int quantize_colors, dither_mode, two_pass_quantize, desired_number_of_colors;
    int enable_1pass_quant, enable_external_quant, enable_2pass_quant;
    unsigned output_width, output_height;
    int out_color_components, output_components, rec_outbuf_height, actual_number_of_colors;
    void *colormap;
    unsigned output_scanline;
    int input_scan_number;
    unsigned input_iMCU_row;
    int output_scan_number;
    unsigned output_iMCU_row;
    void *coef_bits, *quant_tbl_ptrs[4], *dc_huff_tbl_ptrs[4], *ac_huff_tbl_ptrs[4];
    int data_precision;
    void *comp_info;
    int progressive_mode, arith_code;
    uint8_t arith_dc_L[16], arith_dc_U[16], arith_ac_K[16];
    unsigned restart_interval;
    int saw_JFIF_marker;
    uint8_t JFIF_major_version, JFIF_minor_version, density_unit;
    uint16_t X_density, Y_density;
    int saw_Adobe_marker;
    uint8_t Adobe_transform;
    int CCIR601_sampling;
    void *marker_list;
    int max_h_samp_factor, max_v_samp_factor, min_DCT_h_scaled_size, min_DCT_v_scaled_size;
    unsigned total_iMCU_rows;
    void *sample_range_limit;
    int comps_in_scan;
    void *cur_comp_info[4];
    unsigned MCUs_per_row, MCU_rows_in_scan;
    int blocks_in_MCU, MCU_membership[10];
    int Ss, Se, Ah, Al;
    int unread_marker;
    void *master, *main, *coef, *post, *inputctl, *marker;
    struct jpeg_entropy_decoder *entropy;
    void *idct, *upsample, *cconvert, *cquantize;
};

struct jpeg_compress;

struct jpeg_entropy_encoder {
    void (*start_pass)(struct jpeg_compress *, int gather_statistics);
    int (*encode_mcu)(struct jpeg_compress *, jpeg_block *mcu[]);
    void *encode_mcus; // of lossless JPEG
    void (*finish_pass)(struct jpeg_compress *);
    // and each encoder's own
};

struct jpeg_compress {
    struct jpeg_error_mgr *err;
    void *mem, *progress, *client_data;
    int is_decompressor, global_state;
    void *dest;
    unsigned image_width, image_height;
    int input_components, in_color_space;
    double input_gamma;
    unsigned scale_num, scale_denom, jpeg_width, jpeg_height;
    int data_precision, num_components, jpeg_color_space;
    void *comp_info, *quant_tbl_ptrs[4];
    int q_scale_factor[4];
    void *dc_huff_tbl_ptrs[4], *ac_huff_tbl_ptrs[4];
    uint8_t arith_dc_L[16], arith_dc_U[16], arith_ac_K[16];
    int num_scans;
    const void *scan_info;
    int raw_data_in, arith_code, optimize_coding, CCIR601_sampling, do_fancy_downsampling;
    int smoothing_factor, dct_method;
    unsigned restart_interval;
    int restart_in_rows, write_JFIF_header;
    uint8_t JFIF_major_version, JFIF_minor_version, density_unit;
    uint16_t X_density, Y_density;
    int write_Adobe_marker;
    unsigned next_scanline;
    int progressive_mode, max_h_samp_factor, max_v_samp_factor, min_DCT_h_scaled_size, min_DCT_v_scaled_size;
    unsigned total_iMCU_rows;
    int comps_in_scan;
    void *cur_comp_info[4];
    unsigned MCUs_per_row, MCU_rows_in_scan;
    int blocks_in_MCU, MCU_membership[10];
    int Ss, Se, Ah, Al;
    void *master, *main, *prep, *coef, *marker, *cconvert, *downsample, *fdct;
    struct jpeg_entropy_encoder *entropy;
    void *script_space;
    int script_space_size;
};

// Keeps a warning as the damage of this thread's file, unless there is one already.
void ops_jpeg_add_damage(const char *warning);

#ifdef __cplusplus
}
#endif

#endif
