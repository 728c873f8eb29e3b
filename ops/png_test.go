package ops

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"gocv.io/x/gocv"

	"shmcv/internal/abi"
	"shmcv/ops/internal/probe"
)

const pngSignature = "\x89PNG\r\n\x1a\n"

// pngChunkOf is a chunk with its checksum.
func pngChunkOf(kind string, body []byte) []byte {
	chunk := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	chunk = append(append(chunk, kind...), body...)
	return binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(chunk[4:]))
}

// pngKind is a way that a PNG keeps its pixels in.
type pngKind struct {
	colourType, depth uint8
	interlaced        bool
	transparency      bool
}

func (k pngKind) String() string {
	return fmt.Sprintf("colour type %d of %d bits, interlaced %t, tRNS %t", k.colourType, k.depth, k.interlaced, k.transparency)
}

func pngKinds() (kinds []pngKind) {
	for colourType, depths := range pngDepths {
		for _, depth := range []uint8(depths) {
			for _, interlaced := range []bool{false, true} {
				for _, transparency := range []bool{false, true} {
					kinds = append(kinds, pngKind{colourType, depth, interlaced, transparency})
				}
			}
		}
	}
	return kinds
}

// header is the body of IHDR.
func (k pngKind) header(width, height uint32) []byte {
	header := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, width), height)
	header = append(header, k.depth, k.colourType, 0, 0, 0)
	if k.interlaced {
		header[12] = 1
	}
	return header
}

// rows are random rows of an image with a random filter each; any bytes are pixels. Some rows repeat a pixel, so that
// colour keys hit; some are zero in part.
func (k pngKind) rows(width, height uint32, chance *rand.Rand) (rows []byte) {
	bits := uint32(k.depth) * map[uint8]uint32{0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[k.colourType]
	pass := func(width, height uint32) {
		for range height {
			if width == 0 {
				return
			}
			row := make([]byte, 1+(width*bits+7)/8)
			row[0] = uint8(chance.IntN(5))
			for i := range row[1:] {
				row[1+i] = uint8(chance.Uint32())
			}
			if chance.IntN(3) == 0 {
				copy(row[1:], bytes.Repeat([]byte{0x12, 0x34, 0x56}, len(row)/3))
				row[0] = 0
			} else if chance.IntN(2) == 0 { // as in a plain area: nothing but what is predicted
				from := 1 + chance.IntN(len(row))
				clear(row[from : from+chance.IntN(len(row)-from+1)])
			}
			rows = append(rows, row...)
		}
	}
	if !k.interlaced {
		pass(width, height)
		return rows
	}
	for _, p := range [][4]uint32{{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}} {
		pass((width+p[2]-1-p[0])/p[2], (height+p[3]-1-p[1])/p[3])
	}
	return rows
}

// file puts rows into a file.
func (k pngKind) file(t testing.TB, width, height uint32, rows []byte, chance *rand.Rand) []byte {
	t.Helper()
	file := append([]byte(pngSignature), pngChunkOf("IHDR", k.header(width, height))...)
	file = append(file, pngChunkOf("gAMA", []byte{0, 0, 0xB1, 0x8F})...)
	entries := 1 + chance.IntN(1<<min(k.depth, 8))
	if k.colourType == probe.PNGPalette {
		palette := make([]byte, 3*entries)
		for i := range palette {
			palette[i] = uint8(chance.Uint32())
		}
		file = append(file, pngChunkOf("PLTE", palette)...)
	}
	if k.transparency {
		size := map[uint8]int{0: 2, 2: 6, 3: 1 + chance.IntN(entries), 4: 2, 6: 6}[k.colourType]
		body := []byte{0x12, 0x34, 0x56, 0x12, 0x34, 0x56} // as rows repeat it, of 16 bits
		if k.depth == 8 {
			body = []byte{0xFF, 0x12, 0, 0x34, 0, 0x56}
		}
		file = append(file, pngChunkOf("tRNS", append(body, make([]byte, 256)...)[:size])...)
	}
	var stream bytes.Buffer
	writer, err := zlib.NewWriterLevel(&stream, chance.IntN(10))
	if err != nil {
		t.Fatal(err)
	}
	writer.Write(rows)
	writer.Close()
	file = append(file, pngChunkOf("tEXt", []byte("Title\x00a picture"))...)
	file = append(file, pngChunkOf("IDAT", stream.Bytes())...)
	return append(file, pngChunkOf("IEND", nil)...)
}

// withoutVectors, as samePNG's `what`, has the PNG read as on a processor without the vector instructions.
const withoutVectors = "without vectors"

// samePNG fails unless Load's way and OpenCV's decoder make the same of a PNG with that flag: the same pixels or the
// same error. It returns whether the PNG is plain, and OpenCV's error.
func samePNG(t testing.TB, what string, content []byte, flag abi.LoadFlag) (plain bool, err error) {
	t.Helper()
	p, err := probe.PlanFor(content, flag)
	if err == nil {
		err = probe.CheckWhole(content)
	}
	if err != nil {
		return false, err
	}
	const guard = 64
	size := p.Decoded.Bytes()
	ours := Pixels{ImageInfo: p.Decoded, Data: bytes.Repeat([]byte{0xA5}, int(size)+guard)}
	theirs := Pixels{ImageInfo: p.Decoded, Data: bytes.Repeat([]byte{0x5A}, int(size))}
	if what == withoutVectors {
		defer func(before bool) { pngWithVectors = before }(pngWithVectors)
		pngWithVectors = false
	}
	plain, ownErr := readPNG(p.PNG, ours)
	if ownErr != nil {
		t.Fatalf("%s, flag %d: %v", what, flag, ownErr)
	}
	if _, err = decodeByOpenCV(p, content, theirs, alone); plain && err != nil {
		t.Fatalf("%s, flag %d: plain, but OpenCV says %v", what, flag, err)
	}
	if plain && !bytes.Equal(ours.Data[:size], theirs.Data) {
		at := 0
		for ours.Data[at] == theirs.Data[at] {
			at++
		}
		t.Fatalf("%s, flag %d: other pixels than OpenCV's from byte %d on: % x, not % x", what, flag, at,
			ours.Data[at:min(at+16, int(size))], theirs.Data[at:min(at+16, int(size))])
	}
	if !bytes.Equal(ours.Data[size:], bytes.Repeat([]byte{0xA5}, guard)) {
		t.Fatalf("%s, flag %d: bytes beyond the image were written", what, flag)
	}
	return plain, err
}

func TestPNGsOfEveryKindAreReadAsOpenCVDoes(t *testing.T) {
	for i, kind := range pngKinds() {
		chance := rand.New(rand.NewPCG(5, uint64(i)))
		for _, size := range [][2]uint32{{1, 1}, {1, 7}, {2, 3}, {5, 2}, {9, 9}, {16, 5}, {33, 17}, {131, 67}} {
			rows := kind.rows(size[0], size[1], chance)
			content := kind.file(t, size[0], size[1], rows, chance)
			for _, flag := range flagNames {
				for _, what := range []string{fmt.Sprintf("%v, %d x %d", kind, size[0], size[1]), withoutVectors} {
					if plain, err := samePNG(t, what, content, flag); !plain || err != nil {
						t.Fatalf("%s, flag %d: plain: %t, %v", what, flag, plain, err)
					}
				}
			}
		}
	}
}

func TestPNGsFromOutsideAreReadAsOpenCVDoes(t *testing.T) {
	plain := 0
	for _, content := range pngFiles(t) {
		for _, flag := range flagNames {
			if ok, _ := samePNG(t, content.name, content.bytes, flag); ok {
				plain++
			}
		}
	}
	if plain < 40 {
		t.Errorf("only %d times was a file plain", plain)
	}
}

type namedFile struct {
	name  string
	bytes []byte
}

// pngFiles are the PNGs of testdata.
func pngFiles(t testing.TB) (files []namedFile) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(testdata, "*.png"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, namedFile{filepath.Base(name), content})
	}
	return files
}

// rebuilt is the PNG with other chunks in the place of its own; their checksums are set right.
func rebuilt(t testing.TB, png []byte, replace func(kind string, body []byte) [][]byte) []byte {
	t.Helper()
	p, err := probe.PlanFor(png, abi.LoadUnchanged)
	if err != nil {
		t.Fatal(err)
	}
	result := []byte(pngSignature)
	for chunk := range p.PNG.Chunks() {
		for _, body := range replace(string(chunk.Kind[:]), chunk.Body) {
			result = binary.BigEndian.AppendUint32(result, uint32(len(body)))
			start := len(result)
			result = append(append(result, chunk.Kind[:]...), body...)
			result = binary.BigEndian.AppendUint32(result, crc32.ChecksumIEEE(result[start:]))
		}
	}
	return result
}

// inPieces is the PNG with its pixels in chunks of that size, and empty ones between them.
func inPieces(t testing.TB, png []byte, size int) []byte {
	return rebuilt(t, png, func(kind string, body []byte) (pieces [][]byte) {
		for kind == "IDAT" && len(body) > size {
			pieces = append(pieces, nil, body[:size])
			body = body[size:]
		}
		return append(pieces, body)
	})
}

// with is the PNG with a chunk more, in front of the first chunk of the kind `before`.
func with(t testing.TB, png []byte, before, kind string, body []byte) []byte {
	t.Helper()
	at := bytes.Index(png, []byte(before)) - 4
	if at < 0 {
		t.Fatalf("no chunk %q", before)
	}
	return append(append(bytes.Clone(png[:at]), pngChunkOf(kind, body)...), png[at:]...)
}

// stream is the PNG's zlib stream.
func stream(t testing.TB, png []byte) []byte {
	t.Helper()
	p, err := probe.PlanFor(png, abi.LoadUnchanged)
	if err != nil {
		t.Fatal(err)
	}
	var all []byte
	for piece := range p.PNG.Data() {
		all = append(all, piece...)
	}
	return all
}

// withStream is the PNG with another zlib stream.
func withStream(t testing.TB, png, stream []byte) []byte {
	t.Helper()
	first := true
	return rebuilt(t, png, func(kind string, body []byte) [][]byte {
		if kind != "IDAT" {
			return [][]byte{body}
		}
		if !first {
			return nil
		}
		first = false
		return [][]byte{stream}
	})
}

func TestOddPNGsAreLeftToOpenCV(t *testing.T) {
	colour, palette := content(t, "small-bgr.png"), content(t, "small-palette-trns.png")
	pixels := stream(t, colour)
	end := bytes.Index(colour, []byte("IEND")) - 4
	texts := bytes.Repeat(pngChunkOf("tEXt", []byte("a\x00b")), 1001)
	inflated := func(change func(rows []byte) []byte) []byte {
		reader, err := zlib.NewReader(bytes.NewReader(pixels))
		if err != nil {
			t.Fatal(err)
		}
		var rows, packed bytes.Buffer
		if _, err := rows.ReadFrom(reader); err != nil {
			t.Fatal(err)
		}
		writer := zlib.NewWriter(&packed)
		writer.Write(change(rows.Bytes()))
		writer.Close()
		return withStream(t, colour, packed.Bytes())
	}
	for _, c := range []struct {
		name     string
		content  []byte
		accepted bool // by OpenCV, as a colour image
	}{
		{"a wrong checksum of the pixels", withStream(t, colour, append(bytes.Clone(pixels[:len(pixels)-1]), pixels[len(pixels)-1]^1)), true},
		{"no checksum of the pixels", withStream(t, colour, pixels[:len(pixels)-4]), true},
		{"pixels without their end", withStream(t, colour, pixels[:len(pixels)*9/10]), false},
		{"no pixels at all", withStream(t, colour, nil), false},
		{"more rows than the image has", inflated(func(rows []byte) []byte { return append(rows, rows...) }), true},
		{"a row less than the image has", inflated(func(rows []byte) []byte { return rows[:len(rows)-202] }), false},
		{"a filter that does not exist", inflated(func(rows []byte) []byte { rows[202] = 5; return rows }), false},
		{"a preset dictionary", withStream(t, colour, append([]byte{0x78, 0x20}, pixels[2:]...)), false},
		{"an unknown critical chunk", with(t, colour, "IDAT", "ABcD", nil), false},
		{"pixels in two places", with(t, with(t, colour, "IEND", "teSt", nil), "IEND", "IDAT", nil), false},
		{"an end with content", append(bytes.Clone(colour[:end]), pngChunkOf("IEND", []byte{0})...), false},
		{"two palettes", with(t, palette, "tRNS", "PLTE", []byte{1, 2, 3}), true},
		{"a palette behind its transparency", with(t, palette, "IDAT", "PLTE", []byte{1, 2, 3}), false},
		{"two transparencies", with(t, palette, "IDAT", "tRNS", []byte{0}), true},
		{"too many texts", append(append(bytes.Clone(colour[:33]), texts...), colour[33:]...), false},
		{"an EXIF block that cannot be read", with(t, colour, "IDAT", "eXIf", []byte("II*\x00\x08\x00\x00\x00\x01\x00")), false},
		{"two headers", with(t, colour, "IDAT", "IHDR", colour[16:29]), false},
	} {
		for _, flag := range flagNames {
			plain, err := samePNG(t, c.name, c.content, flag)
			if plain || flag == abi.LoadColor && (err == nil) != c.accepted {
				t.Errorf("%s, flag %d: plain: %t, OpenCV says %v", c.name, flag, plain, err)
			}
		}
	}
	for name, harmless := range map[string][]byte{
		"chunks of every kind that OpenCV ignores": with(t, with(t, colour, "IDAT", "iCCP", []byte("x\x00\x00garbage")), "IDAT", "tRNs", nil),
		"a thousand texts":                         append(append(bytes.Clone(colour[:33]), texts[:len(texts)/1001*1000]...), colour[33:]...),
		"pieces, and empty ones":                   inPieces(t, colour, 100),
		"a suggested palette of true colour":       with(t, colour, "IDAT", "PLTE", []byte{1, 2, 3}),
		"an EXIF block":                            with(t, colour, "IEND", "eXIf", []byte("MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x01\x00\x00\x00\x00\x00\x00")),
	} {
		if plain, err := samePNG(t, name, harmless, abi.LoadColor); !plain || err != nil {
			t.Errorf("%s: plain: %t, %v", name, plain, err)
		}
	}
}

func TestDamagedPNGsAreJudgedAsOpenCVDoes(t *testing.T) {
	chance := rand.New(rand.NewPCG(11, 13))
	plain, refused := 0, 0
	silently(t, func() {
		for i, kind := range pngKinds() {
			rows := kind.rows(19, 23, chance)
			whole := kind.file(t, 19, 23, rows, chance)
			if i%4 == 0 {
				whole = inPieces(t, whole, 50)
			}
			for range 100 {
				damaged := rebuilt(t, whole, func(kind string, body []byte) [][]byte {
					often := map[string]int{"IDAT": 2, "tEXt": 2, "IHDR": 50}[kind]
					if body = bytes.Clone(body); len(body) > 0 && (often == 0 || chance.IntN(often) == 0) {
						body[chance.IntN(len(body))] ^= 1 << chance.IntN(8)
					}
					return [][]byte{body}
				})
				for _, flag := range flagNames {
					if p, err := probe.PlanFor(damaged, flag); err == nil && p.Decoded.Bytes() > 1<<22 {
						continue
					}
					ok, err := samePNG(t, kind.String(), damaged, flag)
					if ok {
						plain++
					}
					if err != nil {
						refused++
					}
				}
			}
		}
	})
	if plain == 0 || refused == 0 {
		t.Errorf("%d plain, %d refused: the test has missed something", plain, refused)
	}
}

// FuzzPNG: what is plain, OpenCV's decoder reads, and has the same pixels. With `raw`, what the file has as its zlib
// stream is compressed first, so that mutations get as far as the rows.
func FuzzPNG(f *testing.F) {
	for _, file := range pngFiles(f) {
		if len(file.bytes) < 64<<10 {
			f.Add(file.bytes, uint8(0), false)
		}
	}
	chance := rand.New(rand.NewPCG(3, 4))
	for i, kind := range pngKinds() {
		rows := kind.rows(9, 6, chance)
		f.Add(kind.file(f, 9, 6, rows, chance), uint8(i), false)
		f.Add(withStream(f, kind.file(f, 9, 6, rows, chance), rows), uint8(i), true)
	}
	f.Fuzz(func(t *testing.T, content []byte, flag uint8, raw bool) {
		chosen := fuzzedFlag(t, content, flag)
		if !bytes.HasPrefix(content, []byte(pngSignature)) {
			t.Skip()
		}
		// With right checksums.
		content = rebuilt(t, content, func(_ string, body []byte) [][]byte { return [][]byte{body} })
		if raw {
			var packed bytes.Buffer
			writer := zlib.NewWriter(&packed)
			writer.Write(stream(t, content))
			writer.Close()
			content = withStream(t, content, packed.Bytes())
		}
		samePNG(t, "fuzzed", content, chosen)
	})
}

// BenchmarkPNG4K decodes the photograph, with each filter, here and by OpenCV.
func BenchmarkPNG4K(b *testing.B) {
	photograph := loaded(b, filepath.Join(testdata, "photograph.jpg"), abi.LoadColor)
	m, err := newMat(photograph)
	if err != nil {
		b.Fatal(err)
	}
	defer m.Close()
	const filterParameter = 19 // OpenCV's IMWRITE_PNG_FILTER
	for i, filter := range []string{"none", "sub", "up", "average", "Paeth"} {
		file, err := gocv.IMEncodeWithParams(gocv.PNGFileExt, m.Mat, []int{filterParameter, 8 << i})
		if err != nil {
			b.Fatal(err)
		}
		content := bytes.Clone(file.GetBytes())
		file.Close()
		p, err := probe.PlanFor(content, abi.LoadColor)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(filter+"/here", func(b *testing.B) {
			defer cpuTime(b)()
			for b.Loop() {
				if plain, err := readPNG(p.PNG, photograph); !plain || err != nil {
					b.Fatal(plain, err)
				}
			}
		})
		b.Run(filter+"/OpenCV", func(b *testing.B) {
			defer cpuTime(b)()
			for b.Loop() {
				if _, err := decodeByOpenCV(p, content, photograph, alone); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
