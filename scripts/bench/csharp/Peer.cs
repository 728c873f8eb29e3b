using System.Diagnostics;
using System.Globalization;

namespace Bench;

/// <summary>A library, and the works that its users do with it.</summary>
internal interface IPeer
{
    /// <summary>The versions of what is measured: <c>key=value</c>, separated by spaces.</summary>
    string Versions { get; }

    /// <summary>Prepares a work: everything that a program has ready before it begins.</summary>
    /// <exception cref="SkipException">The library has no such work.</exception>
    Work Prepare(Request request);
}

internal static class Package
{
    /// <summary>
    /// Returns the version of the package that a type comes from. The version of the assembly often has fewer digits.
    /// </summary>
    public static string VersionOf(Type type) =>
        FileVersionInfo.GetVersionInfo(type.Assembly.Location).ProductVersion is { } version ? version.Split('+')[0] : "unknown";
}

/// <summary>A request that a peer cannot answer, with the reason.</summary>
internal sealed class SkipException(string reason) : Exception(reason);

/// <summary>A work that is ready to be run, again and again.</summary>
internal sealed class Work(Action run) : IDisposable
{
    /// <summary>The part that is measured.</summary>
    public Action Run { get; } = run;

    /// <summary>The number of operations in it: more than one if one is too short for a clock.</summary>
    public int Inner { get; init; } = 1;

    /// <summary>Makes the next repetition like the one before. It is not measured.</summary>
    public Action? Restore { get; init; }

    /// <summary>The pixels that it reads, for works that do not read a file.</summary>
    public Func<Pixels>? Source { get; init; }

    /// <summary>The pixels that it has left, for works that do not write a file.</summary>
    public Func<Pixels>? Result { get; init; }

    /// <summary>Gives back what was prepared.</summary>
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
