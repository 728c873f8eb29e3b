namespace ShmCv.Tests;

/// <summary>The rows of testdata/vectors.tsv, which every language's tests run.</summary>
internal static class Vectors
{
    /// <summary>All rows of a kind, without the kind; there is at least one.</summary>
    internal static IReadOnlyList<string[]> Rows(string kind)
    {
        var rows = File.ReadLines(Repository.TestData("vectors.tsv"))
            .Where(line => !line.StartsWith('#'))
            .Select(line => line.Split('\t'))
            .Where(columns => columns[0] == kind)
            .Select(columns => columns[1..])
            .ToList();
        Assert.NotEmpty(rows);
        return rows;
    }

    /// <summary>Runs a check on every row, and fails with all rows that it failed on.</summary>
    internal static void Run(string kind, Action<string[]> check)
    {
        var failures = new List<string>();
        foreach (var row in Rows(kind))
        {
            try
            {
                check(row);
            }
            catch (Exception problem)
            {
                failures.Add($"{string.Join(' ', row)}: {problem.GetType().Name}: {problem.Message}");
            }
        }

        Assert.True(failures.Count == 0, string.Join('\n', failures));
    }

    internal static LoadFlags Flags(string name) => name switch
    {
        "color" => LoadFlags.Color,
        "gray" => LoadFlags.Gray,
        "unchanged" => LoadFlags.Unchanged,
        "bgra" => LoadFlags.Bgra,
        "color+any_depth" => LoadFlags.Color | LoadFlags.AnyDepth,
        "gray+any_depth" => LoadFlags.Gray | LoadFlags.AnyDepth,
        _ => throw new ArgumentException($"no flag {name}", nameof(name)),
    };

    /// <summary>E_TOO_SMALL is <see cref="ErrorCode.TooSmall"/>.</summary>
    internal static ErrorCode Code(string name) => name == "OK"
        ? ErrorCode.OK
        : Enum.Parse<ErrorCode>(name["E_".Length..].Replace("_", "", StringComparison.Ordinal), ignoreCase: true);

    internal static Depth DepthOf(string name) => Enum.Parse<Depth>(name, ignoreCase: true);

    internal static ColorOrder OrderOf(string name) => Enum.Parse<ColorOrder>(name, ignoreCase: true);
}
