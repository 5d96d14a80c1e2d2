"""Reports: frozen data, and each way to show it."""

from purebp.oracle.reports.rendering import ReportFormat, render, report_formats

__all__ = ["ReportFormat", "render", "report_formats"]
