using System.Buffers;
using System.IO.Compression;

namespace ShmCv.Tests;

public sealed class BytesTests : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    private static byte[] Bytes(string file) => File.ReadAllBytes(Repository.TestData(file));

    [Fact]
    public void BytesAreDecodedAsTheirFileIs() => Vectors.Run("load", row =>
    {
        var (bytes, flags) = (Bytes(row[0]), Vectors.Flags(row[1]));
        var wanted = new ImageInfo(int.Parse(row[2]), int.Parse(row[3]), Vectors.OrderOf(row[6]), Vectors.DepthOf(row[5]));
        Assert.Equal(wanted, ImageInfo.ProbeBytes(bytes, flags));
        using var segment = _scratch.Create(wanted.Size);
        Assert.Equal(wanted, segment.Decode(bytes, flags));
        Assert.Equal(row[7], Scratch.Checksum(segment));
        Segment.Clear(segment.Name);
    });

    [Fact]
    public void EncodedBytesAreThoseOfTheSavedFile() => Vectors.Run("save", row =>
    {
        if (row[2] == "-")
        {
            return; // a path without an extension
        }

        using var segment = _scratch.Load(row[0], Vectors.Flags(row[1]));
        byte[] encoded = [];
        Assert.Equal(Vectors.Code(row[4]), SegmentTests.CodeOf(() => encoded = segment.Encode(row[2], int.Parse(row[3]))));
        if (row[4] == "OK")
        {
            var path = _scratch.File($"{Guid.NewGuid()}{row[2]}");
            segment.Save(path, int.Parse(row[3]));
            Assert.Equal(File.ReadAllBytes(path), encoded);
            Assert.InRange(encoded.LongLength, 1, segment.Image.EncodeBound(row[2]));
        }

        Segment.Clear(segment.Name);
    });

    [Fact]
    public void BytesGoIntoStreamsWritersAndSpans()
    {
        using var segment = _scratch.Load("patches.png");
        var wanted = segment.Encode(".png", 9);

        using var stream = new MemoryStream();
        segment.EncodeTo(stream, ".png", 9);
        Assert.Equal(wanted, stream.ToArray());

        var writer = new ArrayBufferWriter<byte>();
        segment.EncodeTo(writer, ".png", 9);
        Assert.Equal(wanted, writer.WrittenSpan.ToArray());

        var span = new byte[wanted.Length + 1];
        Assert.Equal(wanted.Length, segment.EncodeTo(span, ".png", 9));
        Assert.Equal(wanted, span[..^1]);
        var problem = Assert.Throws<ShmCvTooSmallException>(() => segment.EncodeTo(span.AsSpan(0, wanted.Length - 1), ".png", 9));
        Assert.Contains($"{wanted.Length}", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void StreamsAreDecodedFromWhereTheyAre()
    {
        var bytes = Bytes("patches.png");
        using var photo = _scratch.Load("patches.png");
        using var packed = new MemoryStream();
        using (var zip = new GZipStream(packed, CompressionMode.Compress, leaveOpen: true))
        {
            zip.Write(bytes);
        }

        packed.Position = 0;
        using var unpacking = new GZipStream(packed, CompressionMode.Decompress);
        byte[] behindAHeader = [1, 2, 3, .. bytes];
        using var exposed = new MemoryStream(behindAHeader, 0, behindAHeader.Length, writable: false, publiclyVisible: true) { Position = 3 };
        using var hidden = new MemoryStream(behindAHeader) { Position = 3 };
        using var file = File.OpenRead(Repository.TestData("patches.png"));
        foreach (var source in new Stream[] { unpacking, exposed, hidden, file })
        {
            using var segment = _scratch.Create(photo.Size);
            Assert.Equal(photo.Image, segment.DecodeFrom(source));
            Assert.Equal(Scratch.Checksum(photo), Scratch.Checksum(segment));
            Assert.Throws<ShmCvDecodeException>(() => segment.DecodeFrom(source)); // it is at its end
            Assert.Equal(Scratch.Checksum(photo), Scratch.Checksum(segment));
        }
    }

    [Fact]
    public void BytesInASegmentAreDecodedThere()
    {
        using var photo = _scratch.Load("patches.png");
        using var file = _scratch.Create(photo.Image.EncodeBound(".png"));
        var size = photo.EncodeTo(file.AsSpan(), ".png", Constants.QualityDefault);
        file.Decode(file.AsSpan()[..size]);
        Assert.Equal(Scratch.Checksum(photo), Scratch.Checksum(file));
    }

    [Fact]
    public void WhatCannotBeIsRefused()
    {
        using var segment = _scratch.Load("patches.png");
        Assert.Throws<ShmCvDecodeException>(() => segment.Decode([]));
        Assert.Throws<ShmCvUnsupportedException>(() => segment.Decode("GIF89a"u8));
        Assert.Throws<ShmCvUnsupportedException>(() => segment.Encode("png"));
        Assert.Throws<ShmCvInvalidException>(() => segment.Encode(".png", 10));
        Assert.Throws<ShmCvUnsupportedException>(() => segment.Image.EncodeBound(".gif"));
        Assert.Throws<ArgumentNullException>(() => segment.Encode(null!));
        Assert.Throws<ArgumentNullException>(() => segment.DecodeFrom(null!));
        Assert.Throws<ArgumentNullException>(() => segment.EncodeTo((Stream)null!, ".png", 0));
        Assert.Throws<ArgumentNullException>(() => segment.EncodeTo((IBufferWriter<byte>)null!, ".png", 0));
        Assert.Throws<ArgumentException>(() => segment.Encode(".png\0"));
    }
}
