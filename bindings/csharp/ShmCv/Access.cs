namespace ShmCv;

/// <summary>
/// Whose a new segment or stream is, and which users may open it. By default only this user may.
/// </summary>
/// <example>
/// <code>
/// using var photo = Segment.Create("photo", size, Access.GroupRead("video"));   // the group may look at it
/// using var photo = Segment.Create("photo", size, Access.GroupWrite("video"));  // and change it
/// </code>
/// </example>
public sealed record Access
{
    private const UnixFileMode Own = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>
    /// <see cref="UnixFileMode.UserRead"/> and <see cref="UnixFileMode.UserWrite"/>, to which the group's reading and
    /// writing and the others' reading can be added. Who may only read opens a <see cref="ReadOnlySegment"/>. The umask
    /// does not matter.
    /// </summary>
    public UnixFileMode Mode { get; init; } = Own;

    /// <summary>
    /// A group of this process, by its name or its number in digits; null for the group that the system gives new files.
    /// On Windows any group or user, by name or security identifier: "S-1-5-32-545" is Users in every language.
    /// </summary>
    public string? Group { get; init; }

    /// <summary>
    /// A user, by the name or the number in digits; null for the user of this process. Only the superuser can name
    /// another user.
    /// </summary>
    public string? Owner { get; init; }

    /// <summary>Lets a group read.</summary>
    /// <param name="group">The name, or the number in digits; null for the group that the system gives new files.</param>
    /// <returns>The access: mode 0640.</returns>
    public static Access GroupRead(string? group = null) => new() { Mode = Own | UnixFileMode.GroupRead, Group = group };

    /// <summary>Lets a group read and write.</summary>
    /// <param name="group">The name, or the number in digits; null for the group that the system gives new files.</param>
    /// <returns>The access: mode 0660.</returns>
    public static Access GroupWrite(string? group = null) =>
        new() { Mode = Own | UnixFileMode.GroupRead | UnixFileMode.GroupWrite, Group = group };

    internal static ShmcvAccess ToNative(Access? access)
    {
        var native = new ShmcvAccess { Owner = -1, Group = -1, Mode = (uint)Own };
        if (access is null)
        {
            return native;
        }

        native.Mode = (uint)access.Mode;
        if (access.Group is { } group)
        {
            Argument.Text(group);
            Error.Check(NativeMethods.shmcv_group_id(group, out native.Group));
        }

        if (access.Owner is { } owner)
        {
            Argument.Text(owner);
            Error.Check(NativeMethods.shmcv_user_id(owner, out native.Owner));
        }

        return native;
    }
}
