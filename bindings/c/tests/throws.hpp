// What tests of the C++ layer begin with.
#ifndef SHMCV_TEST_THROWS_HPP
#define SHMCV_TEST_THROWS_HPP

#include <shmcv.hpp>

#include "test.h"

#include <filesystem>
#include <string>

// throws returns true if action throws that code, and the message contains that part.
template <typename Action>
bool throws(shmcv::error_code code, const std::string &part, Action action) {
    try {
        action();
    } catch (const shmcv::error &problem) {
        return CHECK_INT(static_cast<int>(code), static_cast<int>(problem.code())) &&
               CHECK(std::string(problem.what()).find(part) != std::string::npos);
    }
    return false;
}

inline const std::filesystem::path small = std::filesystem::path(SHMCV_TESTDATA) / "small-bgr.png";

#endif
