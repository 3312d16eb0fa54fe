"""Inference: works on functions log_joint(z), never on models."""
