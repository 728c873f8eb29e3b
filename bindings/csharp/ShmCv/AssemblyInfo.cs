using System.Runtime.CompilerServices;

// All that crosses is blittable: numbers, structures of numbers, and strings that LibraryImport converts itself.
[assembly: DisableRuntimeMarshalling]

// The tests compare structures with the sizes that C has, and pass geometry that the public types cannot hold.
[assembly: InternalsVisibleTo("ShmCv.Tests")]
