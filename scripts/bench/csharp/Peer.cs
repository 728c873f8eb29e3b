using System.Diagnostics;
using System.Globalization;

namespace Bench;

/// <summary>A library, and the works that its users do with it.</summary>
internal interface IPeer
{
    /// <summary>What is being measured: <c>key=value</c>, separated by spaces.</summary>
    string Versions { get; }

    /// <summary>Gets everything ready that a program would have ready.</summary>
    /// <exception cref="SkipException">The library has no such work.</exception>
    Work Prepare(Request request);
}

internal static class Package
{
    /// <summary>The version of the package that a type comes from; that of its assembly is often a rounder one.</summary>
    public static string VersionOf(Type type) =>
        FileVersionInfo.GetVersionInfo(type.Assembly.Location).ProductVersion is { } version ? version.Split('+')[0] : "unknown";
}

/// <summary>What a peer has no answer to, and why.</summary>
internal sealed class SkipException(string reason) : Exception(reason);

/// <summary>A work that is ready to be run, again and again.</summary>
internal sealed class Work(Action run) : IDisposable
{
    /// <summary>What is measured.</summary>
    public Action Run { get; } = run;

    /// <summary>Operations in it: more than one where a clock would see too little of one.</summary>
    public int Inner { get; init; } = 1;

    /// <summary>Makes the next repetition like the one before; not measured.</summary>
    public Action? Restore { get; init; }

    /// <summary>The pixels that it reads, for works that do not read a file.</summary>
    public Func<Pixels>? Source { get; init; }

    /// <summary>The pixels that it has left, for works that do not write a file.</summary>
    public Func<Pixels>? Result { get; init; }

    /// <summary>Gives back what was got ready.</summary>
    public Action? Release { get; init; }

    public void Dispose() => Release?.Invoke();
}

/// <summary>A line of the protocol: a verb, and words of the form <c>key=value</c>.</summary>
internal sealed class Request
{
    private readonly Dictionary<string, string> _values = [];

    public Request(string[] words)
    {
        Verb = words is [var verb, ..] ? verb : "";
        foreach (string word in words.AsSpan(1))
        {
            int equals = word.IndexOf('=', StringComparison.Ordinal);
            _values[word[..Math.Max(equals, 0)]] = word[(equals + 1)..];
        }
    }

    public string Verb { get; }

    public string this[string key] =>
        _values.TryGetValue(key, out string? value) ? value : throw new ArgumentException($"{Verb}: no {key}=");

    public int Number(string key) => int.Parse(this[key], CultureInfo.InvariantCulture);

    public int Number(string key, int otherwise) => _values.ContainsKey(key) ? Number(key) : otherwise;
}
