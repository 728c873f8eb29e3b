/* Flips a photograph from left to right, in shared memory.
 *
 *     cc c-sample/flip.c -Iinclude -Lbuild -lshmcv -Wl,-rpath,"$PWD/build" -o flip
 *     ./flip [--headless] [photograph] [output]                                                                  */
#define _CRT_RAND_S /* Windows then declares rand_s */
#include <shmcv.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE = 3840 * 2160 * 3 }; /* bytes for a 4K image of three 8-bit channels */

/* A function that fails returns a negative code, and leaves a message with the reason. */
static void check(int32_t status) {
    if (status == SHMCV_OK) return;
    char why[SHMCV_MESSAGE_SIZE];
    shmcv_last_error(why, sizeof why);
    fprintf(stderr, "%s\n", why);
    shmcv_clear_all(); /* segments outlive the process that created them */
    exit(1);
}

/* Programs find a segment by its name, so the name must be unique: a UUID from Linux, random digits from Windows. */
static void make_name(char name[37]) {
#ifdef _WIN32
    unsigned random[4];
    for (int i = 0; i < 4; i++) {
        if (rand_s(&random[i]) != 0) exit(1);
    }
    snprintf(name, 37, "%08x-%08x-%08x-%08x", random[0], random[1], random[2], random[3]);
#else
    FILE *file = fopen("/proc/sys/kernel/random/uuid", "r");
    if (file == NULL || fgets(name, 37, file) == NULL) {
        perror("/proc/sys/kernel/random/uuid");
        exit(1);
    }
    fclose(file);
#endif
}

int main(int argc, char **argv) {
    int headless = argc > 1 && strcmp(argv[1], "--headless") == 0;
    const char *photograph = argc > 1 + headless ? argv[1 + headless] : "testdata/photograph.jpg";
    const char *output = argc > 2 + headless ? argv[2 + headless] : "flipped-c.png";

    /* Two segments of shared memory. Any process of this user can open them by name, and works on the same pixels. */
    char photo_name[37], flipped_name[37];
    shmcv_segment photo, flipped;
    make_name(photo_name);
    make_name(flipped_name);
    check(shmcv_create(photo_name, SIZE, &photo));
    check(shmcv_create(flipped_name, SIZE, &flipped));

    /* The library decodes the file straight into the segment, and describes the result in image. */
    shmcv_image_info image;
    check(shmcv_load(photo, photograph, SHMCV_LOAD_COLOR, &image));
    printf("loaded %s: %u x %u pixels, %u channels, into segment %s\n", photograph, image.width, image.height,
           image.channels, photo_name);

    check(shmcv_flip(photo, flipped, SHMCV_FLIP_HORIZONTAL));
    printf("flipped it horizontally into segment %s\n", flipped_name);

    /* The library draws windows during a delay: 1 ms draws the first, 3 s give the user time to look at both. */
    int32_t status = headless ? SHMCV_E_NO_DISPLAY : shmcv_show("photograph", photo);
    if (status == SHMCV_E_NO_DISPLAY) {
        printf("showed nothing: %s\n", headless ? "--headless" : "there is no display here");
    } else {
        check(status);
        check(shmcv_delay(1, NULL));
        check(shmcv_show("flipped", flipped));
        check(shmcv_delay(3000, NULL));
        printf("showed both\n");
    }

    /* The extension chooses the format. */
    check(shmcv_save(flipped, output, SHMCV_QUALITY_DEFAULT));
    printf("saved the flipped picture: %s\n", output);

    check(shmcv_close_windows());
    check(shmcv_clear_all());
    return 0;
}
