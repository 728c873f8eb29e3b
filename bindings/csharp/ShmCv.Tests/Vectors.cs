namespace ShmCv.Tests;

/// <summary>The rows of testdata/vectors.tsv, which every language's tests run.</summary>
internal static class Vectors
{
    /// <summary>Returns all rows of a kind, without the kind. There is at least one.</summary>
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

    /// <summary>Runs a check on every row. The message of the failure names all rows that failed.</summary>
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

    /// <summary>Returns the code of a name as C has it: <see cref="ErrorCode.TooSmall"/> for E_TOO_SMALL.</summary>
    internal static ErrorCode Code(string name) => name == "OK"
        ? ErrorCode.OK
        : Enum.Parse<ErrorCode>(name["E_".Length..].Replace("_", "", StringComparison.Ordinal), ignoreCase: true);

    internal static Depth DepthOf(string name) => Enum.Parse<Depth>(name, ignoreCase: true);

    internal static ColorOrder OrderOf(string name) => Enum.Parse<ColorOrder>(name, ignoreCase: true);
}
