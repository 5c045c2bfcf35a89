package io.socketproxy.security;

import java.util.Optional;

/** What another node presents that asks for one of its callers. */
public interface NodeCredentials {
    /** What it begins with. */
    String PREFIX = "spn_";

    /** The owner for whom another node asks this one; empty where it is no credential of a node's for this one, now. */
    Optional<Owner> owner(String credential);
}
