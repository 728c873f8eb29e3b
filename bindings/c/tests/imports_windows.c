/* See imports.h. */
#include "imports.h"
#include "test.h"

#include <windows.h>

any_function *replace_import(const char *system_library, const char *name, any_function *by) {
    char *library = (char *)GetModuleHandleA("libshmcv.dll");
    any_function *const before = (any_function *)(void (*)(void))GetProcAddress(GetModuleHandleA(system_library), name);
    NEED(library != NULL && before != NULL);
    const IMAGE_NT_HEADERS *headers = (const IMAGE_NT_HEADERS *)(library + ((const IMAGE_DOS_HEADER *)library)->e_lfanew);
    const DWORD imports = headers->OptionalHeader.DataDirectory[IMAGE_DIRECTORY_ENTRY_IMPORT].VirtualAddress;
    bool found = false;
    for (const IMAGE_IMPORT_DESCRIPTOR *of = (const IMAGE_IMPORT_DESCRIPTOR *)(library + imports); of->Name != 0; of++)
        for (ULONG_PTR *address = (ULONG_PTR *)(library + of->FirstThunk); *address != 0; address++) {
            DWORD protection;
            if (*address != (ULONG_PTR)before) continue;
            NEED(VirtualProtect(address, sizeof *address, PAGE_READWRITE, &protection));
            *address = (ULONG_PTR)by;
            NEED(VirtualProtect(address, sizeof *address, protection, &protection));
            found = true;
        }
    return found ? before : NULL;
}
