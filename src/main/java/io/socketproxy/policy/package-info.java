/**
 * What may be reached and what may be bound: egress and listen policy, whose allowance is a value that nothing else can make.
 *
 * <p>A name is resolved once, below; what is judged here is the socket address that the kernel will be given. Decisions are
 * values and judging has no side effects. All types may be used concurrently.
 */
@NullMarked
package io.socketproxy.policy;

import org.jspecify.annotations.NullMarked;
