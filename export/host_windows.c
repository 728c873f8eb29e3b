/* What Go, a guest, changes of its host on Windows, and gives back. Go's exception handler acts on faults of Go's own code
 * alone, and its threads are suspended from outside. So a host's exceptions, its system calls and its Ctrl-C are its own, and
 * nothing is held back during a call. What Go's start changes is how the process ends after a fault: without a message box,
 * and without Windows Error Reporting. That is the host's to decide. */
#include "native.h"

#define WIN32_LEAN_AND_MEAN
#include <windows.h>

/* There is no fork. */
bool shmcv_forked;
uint32_t shmcv_forks;
intptr_t shmcv_copy;
int32_t shmcv_open_copy(void) { return SHMCV_E_FORKED; }
void shmcv_give_back_signals(void) {}

bool shmcv_masks;
__thread unsigned shmcv_calls;
void shmcv_look_at_host(void) {}
void shmcv_mask(shmcv_host_state *state) { (void)state; }
void shmcv_unmask(const shmcv_host_state *state) { (void)state; }

/* A process has handles enough: Go's poller is one completion port. */
bool shmcv_reserve_descriptors(void) { return true; }
void shmcv_free_descriptors(void) {}
void shmcv_note_start(void) {}

static UINT error_mode;
static DWORD reporting;
static bool reporting_known;

/* WerGetFlags and WerSetFlags are in kernel32.dll, and import libraries have them in another one. */
typedef HRESULT(WINAPI *get_flags)(HANDLE process, DWORD *flags);
typedef HRESULT(WINAPI *set_flags)(DWORD flags);
static FARPROC system_function(const char *name) { return GetProcAddress(GetModuleHandleW(L"kernel32.dll"), name); }

/* Go starts on a thread of its own, which begins when the library has been loaded. */
__attribute__((constructor(101))) static void before_go_starts(void) {
    const get_flags get = (get_flags)(void (*)(void))system_function("WerGetFlags");
    error_mode = GetErrorMode();
    reporting_known = get != NULL && get(GetCurrentProcess(), &reporting) == S_OK;
    /* Go's runtime cannot be unloaded: its threads go on, and its exception handler stays. */
    HMODULE self;
    GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, (LPCWSTR)(void *)&error_mode, &self);
}

void shmcv_restore_host(void) {
    static bool done;
    if (__atomic_exchange_n(&done, true, __ATOMIC_RELAXED)) return;
    const set_flags set = (set_flags)(void (*)(void))system_function("WerSetFlags");
    SetErrorMode(error_mode);
    if (reporting_known && set != NULL) set(reporting);
}
