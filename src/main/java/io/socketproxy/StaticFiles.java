package io.socketproxy;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.io.Resource;
import org.springframework.web.servlet.config.annotation.ResourceHandlerRegistry;
import org.springframework.web.servlet.config.annotation.ViewControllerRegistry;
import org.springframework.web.servlet.config.annotation.WebMvcConfigurer;

/**
 * The files in {@code static/}: console, browser client, example pages, API documents.
 *
 * <p>Validated by their content, RFC 9110 section 8.8.3: their dates in the jar are the build's, which is reproducible, so that two versions have the
 * same. Weakly, since the bytes are others when they are compressed.
 */
@Configuration(proxyBeanMethods = false)
class StaticFiles implements WebMvcConfigurer {
    private final Map<String, String> etags = new ConcurrentHashMap<>();

    @Override
    public void addResourceHandlers(ResourceHandlerRegistry registry) {
        registry.addResourceHandler(
                        "/**",
                        // These two instead of the library's own, which has all the rest below that path.
                        "/swagger-ui/index.html",
                        "/swagger-ui/swagger-initializer.js")
                .addResourceLocations("classpath:/static/")
                .setUseLastModified(false)
                .setEtagGenerator(this::etag);
    }

    /** A directory has no page of its own in Spring MVC, but for the root. */
    @Override
    public void addViewControllers(ViewControllerRegistry registry) {
        registry.addRedirectViewController("/examples", "/examples/");
        registry.addViewController("/examples/").setViewName("forward:/examples/index.html");
    }

    /** Computed once where the file cannot change, which it can in a directory of a build under way. */
    private String etag(Resource resource) {
        return resource.isFile() ? hash(resource) : etags.computeIfAbsent(resource.toString(), key -> hash(resource));
    }

    private static String hash(Resource resource) {
        try (InputStream content = resource.getInputStream()) {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(content.readAllBytes());
            return "W/\"" + HexFormat.of().formatHex(digest, 0, 16) + '"';
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
