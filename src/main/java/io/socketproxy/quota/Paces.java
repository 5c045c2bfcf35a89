package io.socketproxy.quota;

/** Makes paces: of this node alone, or one that all nodes keep together. */
public interface Paces {
    /** Of the only node. */
    Paces ALONE = (what, owner, rate) -> new LocalPace(rate.partOf(1));

    /** @param what is done, a word: the nodes keep one pace of each word and owner */
    Pace of(String what, String owner, Rate rate);
}
