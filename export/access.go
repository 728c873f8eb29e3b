// Access: which users may open a segment or stream.
//
// A new segment or stream is this user's alone. shmcv_create_for and its kin make one for others too: whose it is, which
// group it has, and what that group and all others may do. Who may only read it opens it with shmcv_open_read_only. A
// program may open another user's segment or stream for writing if its owner has given it to a group that the program is
// in (mode 0660), and not to all users: a stranger cannot make such a file. docs/security.md tells what users must be
// trusted with.
//
//	shmcv_access access = {.owner = -1, .group = -1, .mode = 0640};
//	shmcv_group_id("video", &access.group);
//	shmcv_create_for("cam0", 3840 * 2160 * 3, &access, &segment);
//
// On Windows owner, group and mode become access lists. A group is any account there, also a single user; group -1 is
// the primary group of this process. Others can open what they can see: a name that begins with Global\, or a path. A
// file of another user is opened for writing if it is the system's, an administrator's or a service's, or if nobody but
// administrators and a group of this user may make files in its folder.

package main

// #include "native.h"
import "C"

import (
	"unsafe"

	"shmcv/internal/abi"
	"shmcv/shm"
)

// shmcv_create_for does as shmcv_create, for those whom access names, from the moment on at which the name appears. The
// umask does not matter. access may be NULL: only this user may open the segment then.
//
// Errors: those of shmcv_create; SHMCV_E_INVALID if access makes no sense: a mode without 0600 or with more than 0664,
// numbers that no user or group has, on Windows those that shmcv_user_id and shmcv_group_id have not given to this process;
// SHMCV_E_PERMISSION if this process may not give a file to that owner or group.
//
//export goCreateFor
func goCreateFor(name *C.in_char, size C.uint64_t, access *C.in_access, out *C.shmcv_segment) C.int32_t {
	return newSegment(name, out, func(name string) (*shm.Segment, error) {
		return shm.CreateFor(name, uint64(size), given(access))
	})
}

// shmcv_open_or_create_for does as shmcv_open_or_create, for those whom access names if it makes the segment. A segment
// that is there keeps its access.
//
// Errors: those of shmcv_open_or_create and shmcv_create_for.
//
//export goOpenOrCreateFor
func goOpenOrCreateFor(name *C.in_char, size C.uint64_t, access *C.in_access, out *C.shmcv_segment, created *C.int32_t) C.int32_t {
	return newSegment(name, out, func(name string) (*shm.Segment, error) {
		segment, made, err := shm.OpenOrCreateFor(name, uint64(size), given(access))
		return opened(segment, made, err, created)
	})
}

// shmcv_stream_create_for does as shmcv_stream_create, for those whom access names; see shmcv_create_for.
//
// Errors: those of shmcv_stream_create and shmcv_create_for.
//
//export goStreamCreateFor
func goStreamCreateFor(name *C.in_char, slotSize C.uint64_t, slots C.uint32_t, whenBehind C.int32_t, access *C.in_access, out *C.shmcv_stream) C.int32_t {
	return newStream(name, out, func(name string) (*shm.Stream, error) {
		return shm.CreateStreamFor(name, uint64(slotSize), uint32(slots), abi.WhenBehind(whenBehind), given(access))
	})
}

// shmcv_stream_open_or_create_for does as shmcv_stream_open_or_create, for those whom access names if it makes the stream.
// A stream that is there keeps its access.
//
// Errors: those of shmcv_stream_open_or_create and shmcv_create_for.
//
//export goStreamOpenOrCreateFor
func goStreamOpenOrCreateFor(name *C.in_char, slotSize C.uint64_t, slots C.uint32_t, whenBehind C.int32_t, access *C.in_access, out *C.shmcv_stream, created *C.int32_t) C.int32_t {
	return newStream(name, out, func(name string) (*shm.Stream, error) {
		stream, made, err := shm.OpenOrCreateStreamFor(name, uint64(slotSize), uint32(slots), abi.WhenBehind(whenBehind), given(access))
		return opened(stream, made, err, created)
	})
}

// given returns the access that a caller has given, or that of this user alone.
func given(access *C.in_access) abi.Access {
	if access == nil {
		return abi.OwnAccess
	}
	return *(*abi.Access)(unsafe.Pointer(access))
}

// shmcv_user_id gives in id the number of the user that name names: by the user's name, or by the number in digits. Names
// are those that this system, or this container, knows. On Windows name is a name as whoami shows it ("DOMAIN\\name", or
// "name"), or a security identifier ("S-1-5-18"). The number stands for it in this process only.
//
// Errors: SHMCV_E_NOT_FOUND if there is no such user.
//
//export goUserId
func goUserId(name *C.in_char, id *C.int64_t) C.int32_t { return account(name, id, shm.UserID) }

// shmcv_group_id does for groups what shmcv_user_id does for users. On Windows a user will do for a group. "S-1-5-32-545" is the
// group Users in every language of Windows.
//
// Errors: SHMCV_E_NOT_FOUND if there is no such group.
//
//export goGroupId
func goGroupId(name *C.in_char, id *C.int64_t) C.int32_t { return account(name, id, shm.GroupID) }

func account(name *C.in_char, id *C.int64_t, lookUp func(string) (int64, error)) C.int32_t {
	return guard(func() error {
		if err := required("id", unsafe.Pointer(id)); err != nil {
			return err
		}
		str, err := text("name", name)
		if err != nil {
			return err
		}
		found, err := lookUp(str)
		if err != nil {
			return err
		}
		*id = C.int64_t(found)
		return nil
	})
}
