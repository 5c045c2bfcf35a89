package io.socketproxy.socket.bytes;

/** Looks for a byte string in pieces of a stream, as Knuth, Morris and Pratt do: each byte is looked at once. One thread at a time. */
public final class Delimiter {
    private final byte[] wanted;

    /** How much of the beginning is also the end of the first so many bytes. */
    private final int[] borders;

    private int matched;

    /** @param wanted one byte or more */
    public Delimiter(byte[] wanted) {
        this.wanted = wanted.clone();
        this.borders = new int[wanted.length + 1];
        for (int i = 1, border = 0; i < wanted.length; i++) {
            border = longer(border, wanted[i]);
            borders[i + 1] = border;
        }
    }

    private int longer(int border, byte next) {
        int length = border;
        while (length > 0 && wanted[length] != next) {
            length = borders[length];
        }
        return wanted[length] == next ? length + 1 : length;
    }

    /** How many of the bytes, which are not yet taken, go up to the end of the first delimiter; all where it does not end in them. */
    public int upTo(byte[] bytes) {
        int length = matched;
        for (int i = 0; i < bytes.length; i++) {
            length = longer(length, bytes[i]);
            if (length == wanted.length) {
                return i + 1;
            }
        }
        return bytes.length;
    }

    /** Takes bytes; returns whether a delimiter has ended in them. */
    public boolean take(byte[] bytes) {
        for (byte next : bytes) {
            matched = longer(matched, next);
            if (matched == wanted.length) {
                return true;
            }
        }
        return false;
    }
}
