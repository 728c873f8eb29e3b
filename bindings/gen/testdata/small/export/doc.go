//go:build linux

// small: an overview.
//
//	int main(void) {
//	    return shmcv_turn(1, SHMCV_ROTATE_HALF);
//	}
//
// Codes begin with SHMCV_E_.
package main
