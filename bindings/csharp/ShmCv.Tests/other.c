/* A library of the shmcv of another release, or of another program. -DABI_VERSION_V chooses the version that it tells. */
#if defined(ABI_VERSION_0x20000)
unsigned shmcv_abi_version(void) { return 0x20000; }
#elif defined(ABI_VERSION_0x30007)
unsigned shmcv_abi_version(void) { return 0x30007; }
#elif defined(ABI_VERSION_0)
unsigned shmcv_abi_version(void) { return 0; }
#elif !defined(ABI_VERSION_none)
#error "which version?"
#endif
const char *shmcv_version(void) { return "other"; }
