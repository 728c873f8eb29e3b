package main

import (
	"bytes"
	"go/doc/comment"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	repository = "../.."
	small      = "testdata/small"
)

func TestNamesAreSplitWhereAReaderWould(t *testing.T) {
	for _, test := range []struct{ name, snake, pascal string }{
		{"Create", "create", "Create"},
		{"CloseWindows", "close_windows", "CloseWindows"},
		{"HasImage", "has_image", "HasImage"},
		{"Reserved0", "reserved0", "Reserved0"},
		{"UUID", "uuid", "Uuid"},
		{"ABIMajor", "abi_major", "AbiMajor"},
		{"AbiVersion", "abi_version", "AbiVersion"},
		{"LoadBGRA", "load_bgra", "LoadBgra"},
		{"IO", "io", "IO"},
		{"U8", "u8", "U8"},
		{"DepthU16", "depth_u16", "DepthU16"},
		{"timeoutMs", "timeout_ms", "TimeoutMs"},
	} {
		if got := snake(test.name); got != test.snake {
			t.Errorf("snake(%q) = %q, want %q", test.name, got, test.snake)
		}
		if got := pascal(test.name); got != test.pascal {
			t.Errorf("pascal(%q) = %q, want %q", test.name, got, test.pascal)
		}
	}
}

func TestConstantsAreNamedAfterTheirType(t *testing.T) {
	for _, test := range []struct{ goType, goName, others, c, python, cpp, csharp string }{
		{"Code", "OK", "EIO", "SHMCV_OK", "OK", "ok", "OK"},
		{"Code", "EInvalid", "EIO", "SHMCV_E_INVALID", "INVALID", "invalid", "Invalid"},
		{"Code", "ENoSpace", "EIO", "SHMCV_E_NO_SPACE", "NO_SPACE", "no_space", "NoSpace"},
		{"Code", "EIO", "ENoSpace", "SHMCV_E_IO", "IO", "io", "IO"},
		{"Depth", "DepthU8", "DepthF32", "SHMCV_DEPTH_U8", "U8", "u8", "U8"},
		{"Order", "OrderBGR", "OrderGray", "SHMCV_ORDER_BGR", "BGR", "bgr", "Bgr"},
		{"LoadFlag", "LoadAnyDepth", "LoadGray", "SHMCV_LOAD_ANY_DEPTH", "ANY_DEPTH", "any_depth", "AnyDepth"},
		{"FlipCode", "FlipBoth", "FlipVertical", "SHMCV_FLIP_BOTH", "BOTH", "both", "Both"},
		{"RotateCode", "Rotate90Clockwise", "RotateHalf", "SHMCV_ROTATE_90_CLOCKWISE", "ROTATE_90_CLOCKWISE", "rotate_90_clockwise", "Rotate90Clockwise"},
		{"WaitMode", "WaitModeNewest", "WaitModeNext", "SHMCV_WAIT_MODE_NEWEST", "NEWEST", "newest", "Newest"},
		{"", "MaxDimension", "", "SHMCV_MAX_DIMENSION", "MAX_DIMENSION", "max_dimension", "MaxDimension"},
	} {
		g := &group{goType: test.goType}
		if g.goType != "" {
			g.prefix = memberPrefix(test.goType, []string{test.goName, test.others})
		}
		c := &constant{group: g, goName: test.goName}
		if got := [...]string{c.cName(), c.pythonName(), c.cppName(), c.csharpName()}; got != [...]string{test.c, test.python, test.cpp, test.csharp} {
			t.Errorf("%s is named %q in C, Python, C++ and C#", test.goName, got)
		}
	}
}

// Each case breaks one convention in the small repository, and expects an error that names the place and the
// convention.
func TestBrokenConventionsAreErrors(t *testing.T) {
	const create = "// shmcv_create makes a segment of size bytes.\n"
	for _, test := range []struct{ name, file, old, new, want string }{
		{"an undocumented function", "export/transform.go", "// shmcv_turn turns by one of the SHMCV_ROTATE_ constants.\n//\n", "",
			"export/transform.go:4: goTurn has no doc comment"},
		{"another first word", "export/segment.go", create, "// Create makes a segment of size bytes.\n",
			`must begin with "shmcv_create", not "Create"`},
		{"another //export name", "export/segment.go", "//export goData", "//export goDate", "//export goDate stands before goData"},
		{"no //export line", "export/segment.go", "//\n//export goData\n", "", "goData is documented as a function of the C ABI, but has no //export line"},
		{"a name without go", "export/transform.go", "goTurn", "turn", "turn: the name must be go and the C name"},
		{"a parameter type without a counterpart", "export/segment.go", "capacity C.uint64_t", "capacity C.size_t",
			"goList: parameter capacity has type C.size_t"},
		{"a structure with a field that C lacks", "export/transform.go", "flags C.int32_t", "flags *C.shmcv_failure",
			"goTurn: parameter flags has type *C.shmcv_failure"},
		{"a parameter that is a C++ word", "export/transform.go", "flags C.int32_t", "new C.int32_t", "parameter new has no name in C or C++"},
		{"an unnamed parameter", "export/transform.go", "seg C.shmcv_segment, flags C.int32_t", "C.shmcv_segment", "has no name"},
		{"no status", "export/transform.go", ") C.int32_t {", ") C.uint32_t {", "goTurn returns (C.uint32_t); a C.int32_t status is wanted"},
		{"an array that the comment does not explain", "export/segment.go", "fills infos", "fills them", "the doc comment of goList must say how infos is filled"},
		{"a method", "export/transform.go", "func goTurn", "func (h handle) goTurn", "goTurn: a plain function is wanted"},
		{"a C function of no family", "export/cside.go", "shmcv_version", "shmcv_shape", `must begin with "shmcv_version"`},
		{"an unknown constant in a comment", "export/segment.go", "SHMCV_E_INVALID", "SHMCV_E_INVALIDE", "there is no SHMCV_E_INVALIDE"},
		{"an unknown function in a comment", "internal/abi/transform.go", "shmcv_turn", "shmcv_spin", "there is no shmcv_spin"},
		{"a comment that ends C's", "export/doc.go", "small:", "small */:", "export/doc.go: its comment has /* or */ in it"},
		{"no overview", "export/doc.go", "// small: an overview.\n//\n//	int main(void) {\n//	    return shmcv_turn(1, SHMCV_ROTATE_HALF);\n//	}\n//\n// Codes begin with SHMCV_E_.\n", "",
			"export/doc.go: a comment before the package clause is wanted"},
		{"an uncommented constant", "internal/abi/error.go", " // It worked.", "", "constant OK has no comment"},
		{"a constant named unlike its type", "internal/abi/image.go", "DepthF32", "Float32", "the constants of type Depth must all begin with"},
		{"constants of two types in a block", "internal/abi/error.go", "EIO      Code", "EIO", "EIO is of another type"},
		{"a wide constant", "internal/abi/image.go", "1 << 20", "1 << 31", "MaxDimension is 2147483648"},
		{"constants of a wide type", "internal/abi/image.go", "type Depth uint32", "type Depth uint64", "type Depth is uint64"},
		{"a value from elsewhere", "internal/abi/image.go", "1 << 20", "other.Value", "the value of MaxDimension cannot be told"},
		{"a type's comment about something else", "internal/abi/error.go", "// Code is", "// This is", `the doc comment of type Code must begin with "Code"`},
		{"padding", "internal/abi/image.go", "Stride    uint64 ", "Stride    uint32 ", "ImageInfo has 4 bytes of padding"},
		{"an uncommented field", "internal/abi/segment.go", " // The identity.", "", "field SegmentInfo.UUID has no comment"},
		{"an array of structures", "internal/abi/segment.go", "Image    ImageInfo ", "Image    [2]ImageInfo ", "field SegmentInfo.Image"},
		{"constants of no family", "internal/abi/abi.go", "hidden", "Shown", "abi.go is no family of the header"},
		{"not Go", "export/transform.go", "package main", "package", "expected 'IDENT'"},
	} {
		t.Run(test.name, func(t *testing.T) {
			root := t.TempDir()
			if err := os.CopyFS(root, os.DirFS(small)); err != nil {
				t.Fatal(err)
			}
			edit(t, filepath.Join(root, test.file), test.old, test.new)
			_, err := read(root)
			if err == nil {
				t.Fatalf("no error; want one with %q", test.want)
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("error:\n%v\nwant one with %q", err, test.want)
			}
		})
	}
}

func TestExportOfAnUnknownFamilyIsAnError(t *testing.T) {
	root := t.TempDir()
	if err := os.CopyFS(root, os.DirFS(small)); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(root, "export/transform.go"), filepath.Join(root, "export/shape.go")); err != nil {
		t.Fatal(err)
	}
	if _, err := read(root); err == nil || !strings.Contains(err.Error(), "shmcv_turn belongs to no family") {
		t.Errorf("error: %v", err)
	}
}

func TestEachLanguageGetsItsSpelling(t *testing.T) {
	m := mustRead(t, small)
	for _, test := range []struct {
		output string
		pieces []string
	}{
		{"include/shmcv.h", []string{
			"/* Code generated by bindings/gen from export/ and internal/abi; DO NOT EDIT. */\n\n/* small: an overview.\n *\n *     int main(void) {\n *         return shmcv_turn(1, SHMCV_ROTATE_HALF);\n",
			"/* SHMCV_VERSION is the version. */\n#define SHMCV_VERSION \"1.2.3\"\n",
			"enum shmcv_error_code {\n    SHMCV_OK        = 0,  /* It worked. */\n    SHMCV_E_INVALID = -1, /* An argument makes no sense. */\n    SHMCV_E_IO      = -2, /* Reading or writing failed. */\n    SHMCV_E_CLOSED  = -4  /* The handle is closed. */\n};\n",
			"    SHMCV_DEPTH_F32 = 2  /* 32 bits, see SHMCV_E_INVALID. */\n",
			"/* Limits on images. */\n#define SHMCV_MAX_DIMENSION 1048576 /* Greatest width. */\n",
			"/* shmcv_image_info describes pixels, as shmcv_segment_info does a segment. */\nstruct shmcv_image_info {\n    uint32_t width;        /* Pixels in a row, 1 to SHMCV_MAX_DIMENSION; not stride. */\n    uint32_t depth;        /* Depth of a sample: SHMCV_DEPTH_U8 or SHMCV_DEPTH_F32. */\n",
			"    char name[24];          /* The name. */\n    uint8_t uuid[16];       /* The identity. */\n    uint64_t has_image;     /* 1 when image means something. */\n    const void *data;       /* The pixels. */\n    shmcv_image_info image; /* The image. */\n} shmcv_segment_info;\n",
			"static_assert(sizeof(shmcv_segment_info) == 88,",
			"typedef struct shmcv_segment {\n    uint64_t handle; /* Opaque. */\n} shmcv_segment;\n\ntypedef struct shmcv_image_info shmcv_image_info;\n",
			"typedef struct shmcv_frame {\n    shmcv_segment pixels; /* Its pixels. */\n} shmcv_frame;\n",
			"SHMCV_API int32_t shmcv_end(shmcv_frame frame);\n",
			" * Segments: named memory.\n",
			" * Errors: SHMCV_E_INVALID where size < 1 & so on:\n *\n *   - an empty name\n *   - a size that is more than",
			"SHMCV_API int32_t shmcv_create(const char *name, uint64_t size, shmcv_segment *out);\n",
			"SHMCV_API int32_t shmcv_await(shmcv_segment seg);\n",
			"SHMCV_API int32_t shmcv_data(shmcv_segment seg, void **ptr, uint64_t *size);\n",
			"and waits for timeout_ms; see",
			"SHMCV_API int32_t shmcv_read_pixels(shmcv_segment seg, const shmcv_image_info *from, void *memory,\n                                    const void *bytes, uint32_t timeout_ms, shmcv_image_info *into);\n",
			"#define SHMCV_ANGLE_DEFAULT (-1)\n",
			"SHMCV_API const char *shmcv_version(void);\n",
		}},
		{"export/shim.g.c", []string{
			"int32_t shmcv_data(shmcv_segment seg, void **ptr, uint64_t *size) {\n    SHMCV_PASS_ON(shmcv_data, (seg, ptr, size), seg.handle);\n    shmcv_entry entry;\n    shmcv_enter(&entry);\n    int32_t status = goData(seg, ptr, size);\n    shmcv_leave(&entry);\n    return status;\n}\n",
			"    SHMCV_PASS_ON(shmcv_create, (name, size, out));\n",
			"    SHMCV_PASS_ON(shmcv_end, (frame), frame.pixels.handle);\n",
			"int32_t shmcv_await(shmcv_segment seg) {\n    SHMCV_PASS_ON(shmcv_await, (seg), seg.handle);\n    shmcv_entry entry;\n    shmcv_nap nap;\n    shmcv_nap_begin(&nap);\n    int32_t status;\n    do {\n        shmcv_enter(&entry);\n        status = goAwait(seg, &nap);\n        shmcv_leave(&entry);\n    } while (shmcv_sleep(&nap));\n    return status;\n}\n",
		}},
		{"export/shmcv.map", []string{
			"        shmcv_await;\n        shmcv_begin;\n        shmcv_close;\n        shmcv_create;\n        shmcv_data;\n        shmcv_end;\n        shmcv_last_error;\n        shmcv_list;\n        shmcv_open;\n        shmcv_read_pixels;\n        shmcv_turn;\n        shmcv_version;\n    local: *;\n};\n",
		}},
		{"export/errors.g.c", []string{
			"    case SHMCV_E_IO: return \"SHMCV_E_IO\";\n",
			"    default: return \"unknown\";\n",
		}},
		{"include/shmcv_constants.hpp", []string{
			"/// Greatest width.\ninline constexpr std::int32_t max_dimension = SHMCV_MAX_DIMENSION;\n",
			"/// What a function returns.\nenum class error_code : std::int32_t {\n    /// It worked.\n    ok = SHMCV_OK,\n",
			"    /// 32 bits, see error_code::invalid.\n    f32 = SHMCV_DEPTH_F32,\n",
			"constexpr rotate_flags operator|(rotate_flags a, rotate_flags b) noexcept {\n",
		}},
		{"bindings/python/src/shmcv/_native.py", []string{
			"VERSION: Final = \"1.2.3\"\n",
			"ShmcvSegment = c_uint64\nShmcvFrame = c_uint64\n",
			"    has_image: int\n    data: int | None\n    image: ShmcvImageInfo\n",
			"        (\"name\", c_char * 24),\n        (\"uuid\", c_uint8 * 16),\n        (\"has_image\", c_uint64),\n        (\"data\", c_void_p),\n        (\"image\", ShmcvImageInfo),\n",
			"    library.shmcv_data.argtypes = [ShmcvSegment, POINTER(c_void_p), POINTER(c_uint64)]\n    library.shmcv_data.restype = c_int32\n",
			"    library.shmcv_begin.argtypes = [ShmcvSegment, POINTER(ShmcvFrame)]\n",
			"    library.shmcv_read_pixels.argtypes = [\n        ShmcvSegment,\n        POINTER(ShmcvImageInfo),\n        c_void_p,\n        c_void_p,\n        c_uint32,\n        POINTER(ShmcvImageInfo),\n    ]\n",
		}},
		{"bindings/python/src/shmcv/constants.py", []string{
			"#: Greatest width.\nMAX_DIMENSION: Final = 1048576\n",
			"class ErrorCode(IntEnum):\n    \"\"\"What a function returns.\"\"\"\n\n    #: It worked.\n    OK = 0\n",
			"class RotateFlags(IntFlag):\n",
			"    #: 32 bits, see ErrorCode.INVALID.\n    F32 = 2\n",
		}},
		{"bindings/python/src/shmcv/error.py", []string{
			"class IOError(ShmcvError, builtins.OSError):\n    \"\"\"Reading or writing failed.\"\"\"\n\n    code = ErrorCode.IO\n    errno = errnos.EIO\n",
			"class InvalidError(ShmcvError, builtins.ValueError):\n    \"\"\"An argument makes no sense.\"\"\"\n\n    code = ErrorCode.INVALID\n\n",
			"class ClosedError(ShmcvError):\n",
			"        InvalidError,\n        IOError,\n        ClosedError,\n",
		}},
		{"bindings/csharp/ShmCv/Constants.g.cs", []string{
			"/// <summary>What a function returns.</summary>\npublic enum ErrorCode : int\n{\n    /// <summary>It worked.</summary>\n    OK = 0,\n",
			"    /// <summary>32 bits, see <see cref=\"ErrorCode.Invalid\"/>.</summary>\n    F32 = 2,\n",
			"[Flags]\npublic enum RotateFlags : int\n",
			"    public const int AngleDefault = -1;\n",
		}},
		{"bindings/csharp/ShmCv/Exceptions.g.cs", []string{
			"/// <summary>Reading or writing failed.</summary>\n",
			"public sealed class ShmCvIOException(string message) : ShmCvException(ErrorCode.IO, message);\n",
			"        ErrorCode.Invalid => new ShmCvInvalidException(message),\n",
		}},
		{"bindings/csharp/ShmCv/PublicAPI.Unshipped.g.txt", []string{
			"ShmCv.ErrorCode.IO = -2 -> ShmCv.ErrorCode\n",
			"ShmCv.ShmCvIOException.ShmCvIOException(string! message) -> void\n",
		}},
		{"bindings/csharp/ShmCv/NativeMethods.g.cs", []string{
			"    internal fixed byte Name[24];\n",
			"    internal ulong HasImage;\n    internal nint Data;\n    internal ShmcvImageInfo Image;\n",
			"    internal const string Version = \"1.2.3\";\n",
			"    internal static partial ErrorCode shmcv_create(string name, ulong size, out ulong @out);\n",
			"    internal static partial ErrorCode shmcv_begin(ulong seg, out ulong frame);\n",
			"    internal static partial ErrorCode shmcv_data(ulong seg, out nint ptr, out ulong size);\n",
			"    internal static partial ErrorCode shmcv_list(ShmcvSegmentInfo* infos, ulong capacity, out ulong @out);\n",
			"    internal static partial ErrorCode shmcv_read_pixels(ulong seg, in ShmcvImageInfo from, byte* memory, byte* bytes, uint timeoutMs, out ShmcvImageInfo into);\n",
			"    internal static partial byte* shmcv_version();\n",
		}},
	} {
		text := string(generated(t, m, test.output))
		for _, piece := range test.pieces {
			if !strings.Contains(text, piece) {
				t.Errorf("%s lacks\n%s\nin\n%s", test.output, piece, text)
			}
		}
	}
	if shim := generated(t, m, "export/shim.g.c"); bytes.Contains(shim, []byte("shmcv_version")) {
		t.Error("a function that is written in C has a shim too")
	}
	for _, output := range outputs {
		if bytes.Contains(generated(t, m, output.path), []byte("ailure")) {
			t.Errorf("%s has the structure that no export uses", output.path)
		}
	}
}

func TestLinesOfGeneratedFilesAreNotTooLong(t *testing.T) {
	m := mustRead(t, repository)
	for _, output := range outputs {
		for i, line := range strings.Split(string(output.write(m)), "\n") {
			code := strings.Contains(line, "partial")
			if len(line) > 120 && !code || strings.TrimRight(line, " ") != line || strings.Contains(line, "\t") {
				t.Errorf("%s:%d: %q", output.path, i+1, line)
			}
		}
	}
}

func TestCommittedFilesAreWhatTheDeclarationsSay(t *testing.T) {
	m := mustRead(t, repository)
	for _, output := range outputs {
		committed, err := os.ReadFile(filepath.Join(repository, output.path))
		if err != nil {
			t.Error(err)
			continue
		}
		if !bytes.Equal(committed, output.write(m)) {
			t.Errorf("%s is not what the declarations say; run ./build.sh generate", output.path)
		}
	}
}

func TestHeaderCompilesAsCAndCpp(t *testing.T) {
	header := filepath.Join(t.TempDir(), "shmcv.h")
	if err := os.WriteFile(header, generated(t, mustRead(t, repository), "include/shmcv.h"), 0o600); err != nil {
		t.Fatal(err)
	}
	warnings := []string{"-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror", "-fsyntax-only", "-include", header, "-"}
	const program = "int f(void); int f(void) { int32_t e = shmcv_clear_all(); switch (e) { case SHMCV_OK: return 0; case SHMCV_E_IO: return 1; }\n" +
		"shmcv_image_info image; image.depth = SHMCV_DEPTH_U8; return image.depth == SHMCV_DEPTH_U16 ? SHMCV_E_IO : SHMCV_QUALITY_DEFAULT; }\n"
	for _, compiler := range [][]string{{"gcc", "-xc", "-std=c11"}, {"g++", "-xc++", "-std=c++17"}} {
		command := exec.Command(compiler[0], slices.Concat(compiler[1:], warnings)...)
		command.Stdin = strings.NewReader(program)
		if out, err := command.CombinedOutput(); err != nil {
			t.Errorf("%v: %v\n%s", compiler, err, out)
		}
	}
}

// The compilers of C and C++ refuse a stream or a frame in place of a segment.
func TestHandleOfAnotherKindDoesNotCompile(t *testing.T) {
	header := filepath.Join(t.TempDir(), "shmcv.h")
	if err := os.WriteFile(header, generated(t, mustRead(t, repository), "include/shmcv.h"), 0o600); err != nil {
		t.Fatal(err)
	}
	const declarations = "int f(void); int f(void) { shmcv_segment segment = {0}; shmcv_stream stream = {0}; shmcv_frame frame = {{0}};\n" +
		"(void)segment; (void)stream; (void)frame; return "
	for call, compiles := range map[string]bool{
		"shmcv_close(segment)":                       true,
		"shmcv_flip(frame.pixels, segment, 0)":       true,
		"shmcv_frame_close(frame)":                   true,
		"shmcv_stream_close(stream)":                 true,
		"shmcv_close(stream)":                        false,
		"shmcv_close(frame)":                         false,
		"shmcv_flip(frame, segment, 0)":              false,
		"shmcv_stream_close(segment)":                false,
		"shmcv_frame_publish(frame.pixels, 0)":       false,
		"shmcv_stream_create(\"a\", 1, 0, &segment)": false,
		"shmcv_close(1)":                             false,
	} {
		for _, compiler := range [][]string{{"gcc", "-xc", "-std=c11"}, {"g++", "-xc++", "-std=c++17"}} {
			command := exec.Command(compiler[0], append(compiler[1:], "-Werror", "-fsyntax-only", "-include", header, "-")...)
			command.Stdin = strings.NewReader(declarations + call + "; }\n")
			if out, err := command.CombinedOutput(); (err == nil) != compiles {
				t.Errorf("%s: %s: compiles: %v, want %v\n%s", compiler[0], call, err == nil, compiles, out)
			}
		}
	}
}

func TestExampleInTheOverviewCompiles(t *testing.T) {
	m := mustRead(t, repository)
	include := t.TempDir()
	if err := os.WriteFile(filepath.Join(include, "shmcv.h"), generated(t, m, "include/shmcv.h"), 0o600); err != nil {
		t.Fatal(err)
	}
	var example string
	for _, block := range new(comment.Parser).Parse(m.overview).Content {
		if code, ok := block.(*comment.Code); ok {
			example += code.Text
		}
	}
	if !strings.Contains(example, "int main(") {
		t.Fatalf("the overview has no program: %q", example)
	}
	command := exec.Command("gcc", "-xc", "-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", "-I", include, "-")
	command.Stdin = strings.NewReader(example)
	if out, err := command.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestPythonAndCAgreeOnLayouts(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("there is no python3 here")
	}
	file := filepath.Join(t.TempDir(), "native.py")
	if err := os.WriteFile(file, generated(t, mustRead(t, repository), "bindings/python/src/shmcv/_native.py"), 0o600); err != nil {
		t.Fatal(err)
	}
	const check = "import ctypes, native\n" +
		"all = ctypes.Structure.__subclasses__()\n" +
		"ours = [s for s in all if s.__module__ == 'native']\n" +
		"assert len(ours) >= 2, all\n" +
		"for s in ours: assert ctypes.sizeof(s) == s.SIZE, (s, ctypes.sizeof(s))\n"
	command := exec.Command(python, "-B", "-c", check)
	command.Dir = filepath.Dir(file)
	if out, err := command.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestUnchangedFilesAreLeftAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "folder", "file")
	if err := store(path, []byte("content")); err != nil {
		t.Fatal(err)
	}
	old := time.Unix(1, 0)
	if err := os.Chtimes(path, old, old); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		content string
		kept    bool
	}{{"content", true}, {"other", false}} {
		if err := store(path, []byte(test.content)); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if kept := info.ModTime().Equal(old); kept != test.kept {
			t.Errorf("storing %q: left alone: %v, want %v", test.content, kept, test.kept)
		}
	}
}

func TestOtherFoldersAreRefused(t *testing.T) {
	if err := run(t.TempDir()); err == nil || !strings.Contains(err.Error(), "run it from the repository's root") {
		t.Errorf("error: %v", err)
	}
}

func mustRead(t *testing.T, root string) *model {
	t.Helper()
	m, err := read(root)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func generated(t *testing.T, m *model, path string) []byte {
	t.Helper()
	for _, output := range outputs {
		if output.path == path {
			return output.write(m)
		}
	}
	t.Fatalf("%s is no output", path)
	return nil
}

func edit(t *testing.T, path, old, replacement string) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(content), old) {
		t.Fatalf("%s does not contain %q", path, old)
	}
	changed := strings.ReplaceAll(string(content), old, replacement)
	if err := os.WriteFile(path, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
}
