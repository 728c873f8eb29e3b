using System.Runtime.CompilerServices;

namespace ShmCv;

/// <summary>What C# can pass and C cannot see: null references, and text that C would cut.</summary>
internal static class Argument
{
    /// <summary>Refuses text that is null, or that a NUL inside would cut short on its way to C.</summary>
    internal static void Text(string? value, [CallerArgumentExpression(nameof(value))] string? name = null)
    {
        ArgumentNullException.ThrowIfNull(value, name);
        if (value.Contains('\0', StringComparison.Ordinal))
        {
            throw new ArgumentException("The text contains a NUL character, at which the native library would end it.", name);
        }
    }

    /// <summary>Refuses memory that is too short for the pixels that a layout describes.</summary>
    internal static void Room(int length, ImageInfo layout, string name)
    {
        if (length < layout.ByteSize)
        {
            throw new ArgumentException($"{layout} takes {layout.ByteSize} bytes, and there are {length}.", name);
        }
    }
}
