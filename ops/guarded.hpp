// What keeps C++ exceptions from Go and the host. An exception that leaves a function that C has called ends the process.
#ifndef SHMCV_OPS_GUARDED_HPP
#define SHMCV_OPS_GUARDED_HPP

#include <cstdio>
#include <exception>
#include <new>

#include <opencv2/core.hpp>

#include "codec.h"

namespace ops {

// Runs `body`, and returns what that returns: one of OPS_OK and its like. An exception becomes OPS_NO_MEMORY, or
// OPS_FAILED with its message in `reason`, of `room` bytes.
template <typename Body> int guarded(char *reason, size_t room, Body body) noexcept {
    reason[0] = 0;
    try {
        return body();
    } catch (const cv::Exception &e) {
        std::snprintf(reason, room, "%s", e.err.c_str());
        return e.code == cv::Error::StsNoMem ? OPS_NO_MEMORY : OPS_FAILED;
    } catch (const std::bad_alloc &) {
        return OPS_NO_MEMORY;
    } catch (const std::exception &e) {
        std::snprintf(reason, room, "%s", e.what());
    } catch (...) {
        std::snprintf(reason, room, "an unknown exception");
    }
    return OPS_FAILED;
}

// The same for a body whose messages nobody needs.
template <typename Body> int guarded(Body body) noexcept {
    char reason[1];
    return guarded(reason, sizeof reason, body);
}

} // namespace ops

#endif
