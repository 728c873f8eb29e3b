package probe

import (
	"encoding/binary"
	"errors"
	"testing"

	"shmcv/internal/abi"
)

// codestream returns the beginning of a codestream of that many components of so many bits, 67 x 43 pixels.
func codestream(components, bits uint16, size ...byte) string {
	b := []byte(j2kCodestream)
	b = binary.BigEndian.AppendUint16(b, 38+3*components)
	b = binary.BigEndian.AppendUint16(b, 0)
	for _, number := range []uint32{67, 43, 0, 0, 67, 43, 0, 0} {
		b = binary.BigEndian.AppendUint32(b, number)
	}
	b = binary.BigEndian.AppendUint16(b, components)
	for range components {
		b = append(append(b, byte(bits-1)), append(size, 1, 1)[:2]...)
	}
	return string(b)
}

func box(kind, content string) string {
	return string(binary.BigEndian.AppendUint32(nil, uint32(8+len(content)))) + kind + content
}

func TestJPEG2000HeadersAreReadAsOpenCVReadsThem(t *testing.T) {
	colr := func(space byte) string { return box("colr", "\x01\x00\x00\x00\x00\x00"+string([]byte{space})) }
	file := func(space byte, more, stream string) string {
		return jp2Signature + box("ftyp", "jp2 ") + box("jp2h", box("ihdr", "..............")+colr(space)+more) + box("jp2c", stream)
	}
	for name, c := range map[string]struct {
		content  string
		channels uint32
		depth    abi.Depth
		code     abi.Code
	}{
		"a codestream":           {codestream(3, 8), 3, abi.DepthU8, abi.OK},
		"gray":                   {codestream(1, 8), 1, abi.DepthU8, abi.OK},
		"of 12 bits":             {codestream(3, 12), 3, abi.DepthU16, abi.OK},
		"of 16 bits, with alpha": {codestream(4, 16), 4, abi.DepthU16, abi.OK},
		"of 12 bits, with alpha": {codestream(4, 12), 0, 0, abi.EUnsupported},
		"of 7 bits":              {codestream(3, 7), 0, 0, abi.EUnsupported},
		"of 17 bits":             {codestream(3, 17), 0, 0, abi.EUnsupported},
		"signed":                 {codestream(3, 0x88), 0, 0, abi.EUnsupported},
		"two components":         {codestream(2, 8), 0, 0, abi.EUnsupported},
		"components halved":      {codestream(3, 8, 2, 2), 0, 0, abi.EUnsupported},
		"sRGB":                   {file(16, "", codestream(3, 8)), 3, abi.DepthU8, abi.OK},
		"gray in a file":         {file(17, "", codestream(1, 8)), 1, abi.DepthU8, abi.OK},
		"YCC":                    {file(18, "", codestream(3, 8)), 3, abi.DepthU8, abi.OK},
		"CMYK":                   {file(12, "", codestream(4, 8)), 0, 0, abi.EUnsupported},
		"a palette":              {file(16, box("pclr", "x"), codestream(1, 8)), 0, 0, abi.EUnsupported},
		"no codestream":          {file(16, "", "................................................"), 0, 0, abi.EDecode},
		"a box of 3 bytes":       {jp2Signature + "\x00\x00\x00\x03jp2h........", 0, 0, abi.EDecode},
	} {
		p, err := PlanFor([]byte(c.content), abi.LoadUnchanged.Options())
		if abi.CodeOf(err) != c.code {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil && (p.Result.Width != 67 || p.Result.Height != 43 || p.Result.Channels != c.channels || p.Result.Depth != c.depth) {
			t.Errorf("%s: %+v", name, p.Result)
		}
	}
	huge := []byte(codestream(1, 8))
	binary.BigEndian.PutUint32(huge[8:], 30000)
	binary.BigEndian.PutUint32(huge[12:], 30000)
	if err := whole(huge); !errors.Is(err, ErrShort) {
		t.Errorf("900 million pixels in %d bytes: %v", len(huge), err)
	}
}

func FuzzJPEG2000(f *testing.F) {
	f.Add([]byte(codestream(3, 8)), uint32(40), false)
	f.Add([]byte(box("jp2h", box("colr", "\x01\x00\x00\x00\x00\x00\x10"))+box("jp2c", codestream(3, 8))), uint32(60), true)
	f.Fuzz(func(t *testing.T, file []byte, cut uint32, boxed bool) {
		signature := j2kCodestream
		if boxed {
			signature = jp2Signature
		}
		file = beginning(signature, file)
		checkSound(t, file, abi.LoadUnchanged, cut)
		checkSound(t, file, abi.LoadColor, cut)
	})
}
