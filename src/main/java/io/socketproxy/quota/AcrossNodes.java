package io.socketproxy.quota;

/**
 * What the nodes keep of owners together.
 *
 * @param handles open handles
 * @param streams attached streams
 * @param paces of connects and of bytes
 */
public record AcrossNodes(OwnerCounts handles, OwnerCounts streams, Paces paces) {
    /** Of the only node. */
    public static final AcrossNodes ALONE = new AcrossNodes(OwnerCounts.ALONE, OwnerCounts.ALONE, Paces.ALONE);
}
