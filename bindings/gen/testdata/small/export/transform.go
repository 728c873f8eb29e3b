package main

// shmcv_turn turns by one of the SHMCV_ROTATE_ constants.
//
//export goTurn
func goTurn(seg C.shmcv_segment, flags C.int32_t) C.int32_t { return 0 }
