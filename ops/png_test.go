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
	"strings"
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
	for colourType, depths := range map[uint8]string{
		probe.PNGGray: "\x01\x02\x04\x08\x10", probe.PNGColour: "\x08\x10", probe.PNGPalette: "\x01\x02\x04\x08",
		probe.PNGGrayAlpha: "\x08\x10", probe.PNGColourAlpha: "\x08\x10",
	} {
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

// samePNG fails unless Load's way and OpenCV's decoder make the same pixels of a PNG with that flag, if both read it. It
// returns the error of each. The bundled OpenCV reads PNGs with libspng, which judges some oddities in other ways than
// libpng, and so than cv2.
func samePNG(t testing.TB, what string, content []byte, flag abi.LoadFlag) (ownErr, theirErr error) {
	t.Helper()
	p, err := probe.PlanFor(content, flag.Options())
	if err == nil {
		_, err = probe.CheckWhole(content)
	}
	if err != nil {
		return err, err
	}
	const guard = 64
	size := p.Decoded.Bytes()
	ours := Pixels{ImageInfo: p.Decoded, Data: bytes.Repeat([]byte{0xA5}, int(size)+guard)}
	theirs := Pixels{ImageInfo: p.Decoded, Data: bytes.Repeat([]byte{0x5A}, int(size))}
	if what == withoutVectors {
		defer func(before bool) { pngWithVectors = before }(pngWithVectors)
		pngWithVectors = false
	}
	ownErr = readPNG(p.PNG, ours)
	_, theirErr = decodeByOpenCV(p, content, theirs, alone)
	if ownErr == nil && theirErr == nil && !bytes.Equal(ours.Data[:size], theirs.Data) {
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
	return ownErr, theirErr
}

func TestPNGsOfEveryKindAreReadAsOpenCVDoes(t *testing.T) {
	for i, kind := range pngKinds() {
		chance := rand.New(rand.NewPCG(5, uint64(i)))
		for _, size := range [][2]uint32{{1, 1}, {1, 7}, {2, 3}, {5, 2}, {9, 9}, {16, 5}, {33, 17}, {131, 67}} {
			rows := kind.rows(size[0], size[1], chance)
			content := kind.file(t, size[0], size[1], rows, chance)
			for _, flag := range flagNames {
				for _, what := range []string{fmt.Sprintf("%v, %d x %d", kind, size[0], size[1]), withoutVectors} {
					if ours, theirs := samePNG(t, what, content, flag); ours != nil || theirs != nil {
						t.Fatalf("%s, flag %d: %v, and OpenCV says %v", what, flag, ours, theirs)
					}
				}
			}
		}
	}
}

func TestPNGsFromOutsideAreReadAsOpenCVDoes(t *testing.T) {
	read := 0
	for _, content := range pngFiles(t) {
		for _, flag := range flagNames {
			if ours, theirs := samePNG(t, content.name, content.bytes, flag); ours == nil && theirs == nil {
				read++
			}
		}
	}
	if read < 40 {
		t.Errorf("only %d times was a file read", read)
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
	result := []byte(pngSignature)
	for rest, kind := png[len(pngSignature):], ""; kind != "IEND"; {
		end := 8 + binary.BigEndian.Uint32(rest)
		kind = string(rest[4:8])
		for _, body := range replace(kind, rest[8:end]) {
			result = append(result, pngChunkOf(kind, body)...)
		}
		rest = rest[end+4:]
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

// stream is the PNG's zlib stream.
func stream(t testing.TB, png []byte) []byte {
	t.Helper()
	p, err := probe.PlanFor(png, abi.LoadUnchanged.Options())
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

// TestPNGStreamsAreJudgedAsCV2Judges has the answers of cv2 4.14.0, which reads PNGs with libpng. The probe's tests have
// those for chunks.
func TestPNGStreamsAreJudgedAsCV2Judges(t *testing.T) {
	colour := content(t, "small-bgr.png")
	pixels := stream(t, colour)
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
	wrong := append(bytes.Clone(pixels[:len(pixels)-1]), pixels[len(pixels)-1]^1)
	for _, c := range []struct {
		name    string
		content []byte
		want    string // What the error says; "" if the file is read.
	}{
		{"a wrong checksum of the pixels", withStream(t, colour, wrong), "checksum"},
		{"no checksum of the pixels", withStream(t, colour, pixels[:len(pixels)-4]), "checksum"},
		{"half a checksum of the pixels", withStream(t, colour, pixels[:len(pixels)-2]), "checksum"},
		{"bytes behind the stream", withStream(t, colour, append(bytes.Clone(pixels), "garbage"...)), ""},
		{"pixels without their end", withStream(t, colour, pixels[:len(pixels)*9/10]), "inflated"},
		{"no pixels at all", withStream(t, colour, nil), "early"},
		{"a byte more than the image has", inflated(func(rows []byte) []byte { return append(rows, 0) }), ""},
		{"twice the rows that the image has", inflated(func(rows []byte) []byte { return append(rows, rows...) }), ""},
		{"much more than the image has", inflated(func(rows []byte) []byte { return append(rows, make([]byte, 1<<20)...) }), ""},
		{"a row less than the image has", inflated(func(rows []byte) []byte { return rows[:len(rows)-202] }), "early"},
		{"a filter that does not exist", inflated(func(rows []byte) []byte { rows[202] = 5; return rows }), "filter"},
		{"a preset dictionary", withStream(t, colour, append([]byte{0x78, 0x20}, pixels[2:]...)), "inflated"},
		{"a window of more than 32 KiB", withStream(t, colour, append([]byte{0x88, 0x1C}, pixels[2:]...)), "inflated"},
		{"pieces, and empty ones", inPieces(t, colour, 100), ""},
	} {
		for name, flag := range flagNames {
			path := filepath.Join(t.TempDir(), "odd.png")
			if err := os.WriteFile(path, c.content, 0o600); err != nil {
				t.Fatal(err)
			}
			memory := make([]byte, 1<<20)
			image, err := Load(path, flag.Options(), memory, false)
			switch {
			case c.want != "" && (abi.CodeOf(err) != abi.EDecode || !strings.Contains(err.Error(), c.want)):
				t.Errorf("%s, %s: %v", c.name, name, err)
			case c.want == "" && err != nil:
				t.Errorf("%s, %s: %v", c.name, name, err)
			case err == nil:
				whole := make([]byte, 1<<20)
				if _, err := Load(filepath.Join(testdata, "small-bgr.png"), flag.Options(), whole, false); err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(memory[:image.Bytes()], whole[:image.Bytes()]) {
					t.Errorf("%s, %s: other pixels than the whole file's", c.name, name)
				}
			}
		}
	}
}

func TestDamagedPNGsAreReadAsOpenCVReadsThem(t *testing.T) {
	chance := rand.New(rand.NewPCG(11, 13))
	read, refused := 0, 0
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
					if p, err := probe.PlanFor(damaged, flag.Options()); err == nil && p.Decoded.Bytes() > 1<<22 {
						continue
					}
					ours, theirs := samePNG(t, kind.String(), damaged, flag)
					if ours == nil && theirs == nil {
						read++
					}
					if ours != nil {
						refused++
					}
				}
			}
		}
	})
	if read == 0 || refused == 0 {
		t.Errorf("%d read, %d refused: the test has missed something", read, refused)
	}
}

// FuzzPNG: what both read, has the same pixels. With `raw`, what the file has as its zlib
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
			t.Skip("no PNG")
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
	m := matOf(b, photograph)
	defer m.Close()
	const filterParameter = 19 // OpenCV's IMWRITE_PNG_FILTER
	for i, filter := range []string{"none", "sub", "up", "average", "Paeth"} {
		file, err := gocv.IMEncodeWithParams(gocv.PNGFileExt, m, []int{filterParameter, 8 << i})
		if err != nil {
			b.Fatal(err)
		}
		content := bytes.Clone(file.GetBytes())
		file.Close()
		p, err := probe.PlanFor(content, abi.LoadColor.Options())
		if err != nil {
			b.Fatal(err)
		}
		b.Run(filter+"/here", func(b *testing.B) {
			defer cpuTime(b)()
			for b.Loop() {
				if err := readPNG(p.PNG, photograph); err != nil {
					b.Fatal(err)
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
