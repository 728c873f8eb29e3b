using System.Text.RegularExpressions;

namespace ShmCv.Tests;

public sealed class ErrorTests
{
    public static TheoryData<ErrorCode> Codes => [.. Enum.GetValues<ErrorCode>().Where(code => code != ErrorCode.OK)];

    [Theory]
    [MemberData(nameof(Codes))]
    public void EveryCodeIsAnExceptionThatCarriesIt(ErrorCode code)
    {
        var problem = Error.Of(code, "why");
        Assert.Equal(code, problem.Code);
        Assert.Equal("why", problem.Message);
        var expected = typeof(ShmCvException).Assembly.GetType($"ShmCv.ShmCv{code}Exception");
        Assert.NotNull(expected);
        Assert.IsType(expected, problem);
    }

    [Fact]
    public void EveryExceptionHasACode()
    {
        var made = Codes.Select(row => Error.Of(row.Data, "").GetType()).ToHashSet();
        var declared = typeof(ShmCvException).Assembly.GetTypes().Where(type => type.IsSubclassOf(typeof(ShmCvException)));
        Assert.Equal(declared.ToHashSet(), made);
    }

    [Fact]
    public void ACodeOfALaterLibraryIsAnExceptionThatCarriesIt()
    {
        var problem = Error.Of((ErrorCode)(-999), "why");
        Assert.IsType<ShmCvException>(problem);
        Assert.Equal((ErrorCode)(-999), problem.Code);
    }

    [Fact]
    public void TheTableIsThatOfTheHeader()
    {
        var header = File.ReadAllText(Path.Combine(Repository.Root, "include", "shmcv.h"));
        var inC = Regex.Matches(header, @"\bSHMCV_(OK|E_\w+) *= *(-?\d+)").ToDictionary(match => match.Groups[1].Value, match => int.Parse(match.Groups[2].Value));
        Assert.NotEmpty(inC);
        Assert.Equal(inC.OrderBy(row => row.Value), Enum.GetValues<ErrorCode>()
            .ToDictionary(code => inC.Single(row => Vectors.Code(row.Key) == code).Key, code => (int)code).OrderBy(row => row.Value));
    }

    [Fact]
    public void MessagesAreThoseOfTheThreadThatFailed()
    {
        using var start = new Barrier(4);
        var threads = Enumerable.Range(0, 4).Select(number => Task.Run(() =>
        {
            start.SignalAndWait();
            for (var i = 0; i < 200; i++)
            {
                var name = $"no-such-segment-{number}-{i}";
                Assert.Contains($"\"{name}\"", Assert.Throws<ShmCvNotFoundException>(() => Segment.Open(name)).Message, StringComparison.Ordinal);
            }
        })).ToArray();
        Task.WaitAll(threads);
    }
}
