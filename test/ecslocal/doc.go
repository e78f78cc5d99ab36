// Package ecslocal holds the tests in which real clients of AWS, the aws command
// line and boto3, and a real Docker daemon meet leat ecs-local. It has no code of
// its own. LEAT_TEST_PYTHON names a Python with awscli and boto3 (make venv);
// LEAT_TEST_AWS a version 2 of aws, if that is neither first in the PATH nor in
// /usr/bin; DOCKER_HOST a daemon. What is missing is skipped with a message.
package ecslocal
