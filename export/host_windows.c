/* What Go, a guest, changes of its host on Windows, and gives back. Go's exception handler acts on faults of Go's own code
 * alone, and its threads are suspended from outside. So a host's exceptions, its system calls and its Ctrl-C are its own. What
 * Go's start changes is how the process ends after a fault: without a message box, and without Windows Error Reporting. That is
 * the host's to decide. During a call the system shows no message box for want of a disk, as of a drive without a card. */
#include "native.h"

#define WIN32_LEAN_AND_MEAN
#include <windows.h>

/* There is no fork. */
bool shmcv_forked;
uint32_t shmcv_forks;
intptr_t shmcv_copy_distance;
int32_t shmcv_open_copy(void) { return SHMCV_E_FORKED; }
void shmcv_give_back_signals(void) {}

/* What is in a call's state: which message boxes the system shows on behalf of this thread. */
typedef struct __attribute__((may_alias)) kept_mode {
    DWORD mode;
} kept_mode;
_Static_assert(sizeof(kept_mode) <= sizeof(shmcv_host_state), "shmcv_host_state has no room for an error mode");

bool shmcv_masks = true;
__thread unsigned shmcv_calls;
void shmcv_look_at_host(void) {}

void shmcv_mask(shmcv_host_state *state) {
    kept_mode *kept = (kept_mode *)state;
    kept->mode = GetThreadErrorMode();
    SetThreadErrorMode(kept->mode | SEM_FAILCRITICALERRORS | SEM_NOOPENFILEERRORBOX, NULL);
}

void shmcv_unmask(const shmcv_host_state *state) { SetThreadErrorMode(((const kept_mode *)state)->mode, NULL); }

/* A process has handles enough: Go's poller is one completion port. */
bool shmcv_reserve_descriptors(void) { return true; }
void shmcv_free_descriptors(void) {}
void shmcv_note_start(void) {}

static UINT error_mode;
static DWORD reporting;
static bool reporting_known;

/* WerGetFlags and WerSetFlags are in kernel32.dll, and import libraries have them in another one. NO_REPORT_SHOWN is
 * WER_FAULT_REPORTING_NO_UI. */
enum { NO_REPORT_SHOWN = 0x20 };
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

/* What Go's start has set and the host had not is taken back. What the host itself has changed meanwhile stays. */
void shmcv_restore_host(void) {
    static bool done;
    if (__atomic_exchange_n(&done, true, __ATOMIC_RELAXED)) return;
    const UINT gos_modes = SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX | SEM_NOOPENFILEERRORBOX;
    SetErrorMode(GetErrorMode() & ~(gos_modes & ~error_mode));
    const get_flags get = (get_flags)(void (*)(void))system_function("WerGetFlags");
    const set_flags set = (set_flags)(void (*)(void))system_function("WerSetFlags");
    DWORD now;
    if (reporting_known && set != NULL && get(GetCurrentProcess(), &now) == S_OK) set(now & ~(NO_REPORT_SHOWN & ~reporting));
}
