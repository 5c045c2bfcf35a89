package io.socketproxy.testing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Certificates of all kinds, made by openssl in a directory that is deleted at the end. */
public final class Certificates implements AutoCloseable {
    private final Path directory;

    /** An authority, {@code ca}, to begin with. */
    public Certificates() throws Exception {
        PemAuthority.assumeOpenssl();
        directory = Files.createTempDirectory("certificates");
        authority("ca");
        Files.writeString(file("index.txt"), "");
        Files.writeString(file("crlnumber"), "01\n");
        Files.writeString(file("ca.cnf"), """
                [ca]
                default_ca = d
                [d]
                database = index.txt
                crlnumber = crlnumber
                default_md = sha256
                default_crl_days = 30
                default_days = 30
                certificate = ca.pem
                private_key = ca.key
                new_certs_dir = .
                rand_serial = yes
                unique_subject = no
                policy = p
                [p]
                commonName = supplied
                """);
    }

    /** A file by its name: {@code ca.pem}, {@code ca.key}, {@code leaf.pem} … */
    public Path file(String name) {
        return directory.resolve(name);
    }

    public String text(String name) throws IOException {
        return Files.readString(file(name));
    }

    /** An authority with a certificate of its own. */
    public void authority(String name) throws Exception {
        openssl("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=" + name + " -keyout "
                + name + ".key -out " + name + ".pem");
    }

    /**
     * A certificate of an authority.
     *
     * @param extensions as openssl's {@code subjectAltName=DNS:localhost}; empty for none
     * @param validity further arguments of openssl's ca: {@code -days 30}
     */
    public void issue(String name, String by, String subject, String extensions, String validity) throws Exception {
        openssl("req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj " + subject + " -keyout " + name
                + ".key -out " + name + ".csr");
        Files.writeString(file(name + ".ext"), extensions + "\n");
        openssl("ca -batch -notext -config ca.cnf -cert " + by + ".pem -keyfile " + by + ".key -in " + name
                + ".csr -extfile " + name + ".ext " + validity + " -out " + name + ".pem");
    }

    /** Revokes a certificate of {@code ca}; {@code crl.pem} has it then. */
    public void revoke(String name) throws Exception {
        openssl("ca -config ca.cnf -revoke " + name + ".pem");
        openssl("ca -config ca.cnf -gencrl -out crl.pem");
    }

    /** Runs openssl in the directory. */
    public void openssl(String arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of("openssl"));
        command.addAll(List.of(arguments.split(" ")));
        Program.run(directory, Map.of(), command.toArray(String[]::new));
    }

    @Override
    public void close() throws IOException {
        Program.delete(directory);
    }
}
